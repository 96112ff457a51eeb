import { setTimeout as sleep } from 'node:timers/promises';
import { inspectorPort } from '../protocol/protocol.js';

/** Milliseconds that a process gets to respond; one that is stopped with SIGSTOP never does. */
const TIMEOUT = 3000;

interface CallFrame {
  functionName: string;
  url: string;
  location: { scriptId: string; lineNumber: number; columnNumber: number };
}

interface InspectorEvent {
  method?: string;
  params: { callFrames: CallFrame[]; scriptId: string; url: string };
}

/**
 * Captures the stack of a process whose event loop is blocked. SIGUSR1 makes Node start its inspector, on the loopback
 * address, in a thread that is not blocked; through it the running JavaScript is paused and its stack is read.
 * (A diagnostic report on a signal would not do: Node writes it from the event loop.)
 * Kill the process afterwards: its inspector stays open.
 *
 * @returns the stack, a line for each frame; undefined if the process does not respond
 */
export async function captureStack(pid: number): Promise<string | undefined> {
  if (process.platform === 'win32') return undefined;
  const signal = AbortSignal.timeout(TIMEOUT);
  try {
    process.kill(pid, 'SIGUSR1');
    const frames = await pausedFrames(await inspectorUrl(inspectorPort(pid), signal), signal);
    return frames.map(formatFrame).join('\n');
  } catch {
    return undefined;
  }
}

async function inspectorUrl(port: number, signal: AbortSignal): Promise<string> {
  for (;;) {
    try {
      const response = await fetch(`http://127.0.0.1:${port}/json/list`, { signal });
      const [target] = (await response.json()) as { webSocketDebuggerUrl: string }[];
      if (target) return target.webSocketDebuggerUrl;
    } catch (error) {
      signal.throwIfAborted();
      if ((error as Error).name === 'SyntaxError') throw error;
    }
    await sleep(50, undefined, { signal });
  }
}

async function pausedFrames(url: string, signal: AbortSignal): Promise<CallFrame[]> {
  const { WebSocket } = await import('ws');
  const socket = new WebSocket(url);
  try {
    return await new Promise((resolve, reject) => {
      signal.addEventListener('abort', () => reject(signal.reason));
      socket.on('error', reject);
      socket.on('open', () => {
        socket.send('{"id":1,"method":"Debugger.enable"}');
        socket.send('{"id":2,"method":"Debugger.pause"}');
      });
      const urls = new Map<string, string>();
      socket.on('message', (text) => {
        const { method, params } = JSON.parse(String(text)) as InspectorEvent;
        if (method === 'Debugger.scriptParsed') urls.set(params.scriptId, params.url);
        if (method !== 'Debugger.paused') return;
        resolve(params.callFrames.map((frame) => ({ ...frame, url: urls.get(frame.location.scriptId) ?? frame.url })));
      });
    });
  } finally {
    socket.terminate();
  }
}

function formatFrame({ functionName, url, location }: CallFrame): string {
  return `    at ${functionName || '<anonymous>'} (${url}:${location.lineNumber + 1}:${location.columnNumber + 1})`;
}
