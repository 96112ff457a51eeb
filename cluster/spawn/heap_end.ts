import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import type { ProcessStats } from '../protocol/protocol.js';

/**
 * Share of the limit that was used at the last heartbeat: an abort after that is taken for a full heap. The old generation can be full
 * far below the limit: on Node 24 the young one has up to 192 MiB of it.
 */
const NEARLY_FULL = 0.5;
/** Bytes of stderr in which V8's message is looked for. */
const TAIL = 64 * 1024;
/** Exit code of a shell for SIGABRT; Node's on Windows. */
const ABORTED = 134;

interface HeapEnd {
  /** A sentence. */
  text: string;
  /** What V8 has written, if it can be read. */
  lines: string[];
}

/**
 * @param pid of a process that has ended by itself
 * @returns why and with which last words, if the heap of V8 was full
 */
export function heapEnd(
  pid: number,
  { code, signal }: { code: number | null; signal: string | null },
  stats: ProcessStats | undefined,
): HeapEnd | undefined {
  if (signal !== 'SIGABRT' && code !== ABORTED) return undefined;
  const lines = fatalLines(pid, stderrTail());
  const { heapUsed = 0, heapLimit = 0 } = stats ?? {};
  if (lines.length === 0 && (heapLimit === 0 || heapUsed < NEARLY_FULL * heapLimit)) return undefined;
  const used = heapLimit === 0 ? '' : `: ${mebibytes(heapUsed)} of ${mebibytes(heapLimit)} MiB at the last heartbeat`;
  const what = lines.length > 0 ? 'heap out of memory' : 'aborted, most likely heap out of memory';
  return { text: `${what}${used}`, lines };
}

/** @returns what V8 says at the end of a process, if its heap was full: the garbage collections before it bear the pid */
function fatalLines(pid: number, text: string): string[] {
  // V8 cuts what came before, also in the middle of a line.
  const begin = text.lastIndexOf(`[${pid}:0x`);
  if (begin < 0) return [];
  const [, own = ''] = /^(.*?)(?:\n<--- Last few GCs --->|$)/s.exec(text.slice(begin)) ?? [];
  const [fatal] = /^FATAL ERROR: .*heap out of memory$/m.exec(own) ?? [];
  if (fatal === undefined) return [];
  return [(own.split('\n', 1)[0] as string).trimEnd(), fatal];
}

/** @returns the end of the Master's stderr, which is its children's as well, if it is a file */
function stderrTail(): string {
  let file: number | undefined;
  try {
    if (!fstatSync(2).isFile()) return '';
    file = openSync('/proc/self/fd/2', 'r');
    const { size } = fstatSync(file);
    const block = Buffer.alloc(Math.min(TAIL, size));
    return block.toString('utf8', 0, readSync(file, block, 0, block.length, size - block.length));
  } catch {
    // Without /proc, or a descriptor, or the right to read the file, the last heartbeat has to do.
    return '';
  } finally {
    if (file !== undefined) closeSync(file);
  }
}

function mebibytes(bytes: number): number {
  return Math.round(bytes / 1024 / 1024);
}
