import { setTimeout as sleep } from 'node:timers/promises';
import { type ClusterHandle, redirectMasterLog, startCluster } from '../../cluster/index.js';
import { toError } from '../../errors.js';
import { errorScreen } from '../../output/error_screen.js';
import { isAlive } from '../process/running.js';
import type { DevEvent, DevMasterOptions, ReplacedProcess, ShowError } from './dev_messages.js';

interface AppFacts {
  routes: number;
  plugins: string[];
}

/** What was saved since the last reload, and when it began. */
interface Changed {
  files: string[];
  at: number;
}

type Pids = ClusterHandle['pids'];

const BOOT_FAILURE = /^start failed: (?:(?:the Agent|app worker \d+) did not start: )?/;

/** Milliseconds to wait for what the app has to say about itself. */
const FACTS_LIMIT = 500;

const begin = Date.now();
const { directory, options } = JSON.parse(process.argv[2] as string) as DevMasterOptions;

function send(event: DevEvent): void {
  if (process.connected) process.send?.(event, undefined, {}, () => undefined);
}

redirectMasterLog({
  info: () => undefined,
  warn: (text) => send({ dev: 'log', level: 'warn', text }),
  error: (text) => {
    if (BOOT_FAILURE.test(text)) send({ dev: 'boot-failed', text: text.replace(BOOT_FAILURE, '') });
    // What is reported by the messages below.
    else if (!text.startsWith('reload failed')) send({ dev: 'log', level: 'error', text });
  },
});
// Nobody is left whom the app could be served for.
process.once('disconnect', () => process.kill(process.pid, 'SIGTERM'));

try {
  report(await startCluster({ workers: 1, ...options, baseDir: directory }));
} catch (error) {
  send({ dev: 'boot-failed', text: errorScreen(toError(error)) });
  process.exitCode = 1;
  process.disconnect();
}

function report(handle: ClusterHandle): void {
  const { messenger } = handle;
  let facts: AppFacts = { routes: 0, plugins: [] };
  let before: Pids = handle.pids;
  let changed: Changed | undefined;
  messenger.on('clutch-dev-facts', (data: AppFacts) => {
    facts = data;
    sendReady();
  });
  const sendReady = once(() => {
    const { agent = 0, workers } = handle.pids;
    const { address, adminAddress: page } = handle;
    send({ dev: 'ready', address, page, milliseconds: Date.now() - begin, ...facts, agent, workers });
  });
  // They were sent before anyone listened. An app without the development plugin has none.
  messenger.sendToApp('clutch-dev-facts');
  setTimeout(sendReady, FACTS_LIMIT).unref();
  messenger.on('reload-worker', ({ files = [] }: { files?: string[] } = {}) => {
    if (changed) changed.files.push(...files);
    else {
      changed = { files, at: Date.now() };
      before = handle.pids;
    }
  });
  // A save during a reload is counted to that one; the reload that follows is for it, too.
  let last: Changed = { files: [], at: begin };
  const finish = (): Changed => {
    last = changed ?? last;
    changed = undefined;
    return { ...last, files: [...new Set(last.files)] };
  };
  messenger.on('clutch:reload-failed', (text: string) => {
    send({ dev: 'reload-failed', files: finish().files, text });
  });
  messenger.on('clutch:reloaded', (saved: string[] = []) => {
    const { files: seen, at } = finish();
    // Of a save during the boot only the outcome arrives here.
    const files = seen.length > 0 ? seen : saved;
    const milliseconds = Date.now() - at;
    const processes = replaced(before, handle.pids);
    before = handle.pids;
    void allGone(processes).then(() => send({ dev: 'replaced', files, milliseconds, processes }));
  });
  process.on('message', (message: Partial<ShowError>) => {
    if ('showError' in message) messenger.sendToApp('clutch-dev-error', message.showError);
  });
}

function replaced(before: Pids, after: Pids): ReplacedProcess[] {
  const left = before.workers.filter((pid) => !after.workers.includes(pid));
  const workers = after.workers
    .filter((pid) => !before.workers.includes(pid))
    .map((to, index): ReplacedProcess => ({ kind: 'app worker', from: left[index], to }));
  const { agent: from } = before;
  const { agent: to } = after;
  return to === undefined || from === to ? workers : [{ kind: 'Agent', from, to }, ...workers];
}

async function allGone(processes: ReplacedProcess[]): Promise<void> {
  while (processes.some(({ from }) => from !== undefined && isAlive(from))) await sleep(10);
}

function once(run: () => void): () => void {
  let done = false;
  return () => {
    if (done) return;
    done = true;
    run();
  };
}
