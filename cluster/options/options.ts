import { optionError, type WorkerRange, workerCount } from './option_kinds.js';
import { APP_OPTIONS, OPTIONS, type Option } from './option_table.js';

type Table = typeof OPTIONS;
type Given<O> = O extends Option<infer G, infer _> ? G : never;
type Value<O> = O extends Option<infer _, infer V> ? V : never;

/**
 * What `startCluster` takes; docs/cluster.md says what each option means. Other keys are passed on to `new Agent()` and
 * `new Application()`.
 */
export type StartClusterOptions = { [K in keyof Table]?: Given<Table[K]> | undefined } & { [key: string]: unknown };

type Complete = { [K in Exclude<keyof Table, 'reusePort' | 'workers'>]: Value<Table[K]> } & {
  /** How many there are at first. */
  workers: number;
  /** Between which numbers they follow the need; undefined if their number is given. */
  sizing: WorkerRange | undefined;
};

/** The options of a cluster, checked and complete. */
export type ClusterOptions = Complete & { [key: string]: unknown };

/** What Agent and app workers get of them. */
export type ChildOptions = Omit<Complete, 'admin' | 'execArgv' | 'pidFile' | 'telemetry'> & { [key: string]: unknown };

/**
 * Checks the options of `startCluster` and fills in defaults, before anything is forked.
 *
 * @param warn gets a sentence for each key that looks like a misspelt one
 * @throws {ClutchError} ERR_CLUTCH_OPTION, ERR_CLUTCH_NOT_FOUND naming the option
 */
export function parseClusterOptions(
  given: StartClusterOptions,
  warn: (message: string) => void = () => undefined,
): ClusterOptions {
  const known = [...Object.keys(OPTIONS), ...APP_OPTIONS];
  for (const key of Object.keys(given)) {
    const suggestion = known.includes(key) ? undefined : known.find((candidate) => isSimilar(key, candidate));
    if (suggestion) {
      warn(`option ${key} is not known to the cluster and passed on to the app; did you mean ${suggestion}?`);
    }
  }
  const { reusePort, ...parsed } = parseAll(given);
  const options: ClusterOptions = {
    ...given,
    ...parsed,
    port: parsed.port ?? (parsed.https ? HTTPS_PORT : undefined),
    env: parsed.env ?? process.env['EGG_SERVER_ENV'],
    workers: parsed.ports.length || parsed.workers.min,
    sizing: parsed.workers.max > parsed.workers.min ? parsed.workers : undefined,
    scheduling: usableScheduling(reusePort ? 'reusePort' : parsed.scheduling, warn),
  };
  delete options['reusePort'];
  if (options.workers === 0) checkSingle(options, given);
  checkThreads(options);
  checkMemory(options);
  return options;
}

/** Of a cluster with option `https` and no port. */
const HTTPS_PORT = 8443;

function parseAll(given: StartClusterOptions): { [K in keyof Table]: Value<Table[K]> } {
  const baseDir = OPTIONS.baseDir.kind.parse('baseDir', given.baseDir ?? OPTIONS.baseDir.fallback(), '') as string;
  const entries = Object.entries(OPTIONS).map(([key, { kind, fallback }]) => {
    if (key === 'baseDir') return [key, baseDir];
    return [key, kind.parse(key, given[key], baseDir) ?? fallback()];
  });
  return Object.fromEntries(entries) as { [K in keyof Table]: Value<Table[K]> };
}

/** Whether several processes can bind the same port: Node's `reusePort`, and a kernel that spreads the load. */
export function supportsReusePort(version = process.versions.node, platform: string = process.platform): boolean {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const nodeCan = major > 23 || (major === 23 && minor >= 1) || (major === 22 && minor >= 12);
  return nodeCan && ['linux', 'freebsd', 'sunos', 'aix'].includes(platform);
}

function usableScheduling(
  wanted: ClusterOptions['scheduling'],
  warn: (message: string) => void,
): ClusterOptions['scheduling'] {
  if (wanted !== 'reusePort' || supportsReusePort()) return wanted;
  warn('option scheduling: reusePort needs Node 22.12 or later on Linux; falling back to rr');
  return 'rr';
}

function checkThreads(options: ClusterOptions): void {
  const { startMode, ports, workers, sizing, scheduling, sticky, port, listen } = options;
  if (listen && (sticky || startMode !== 'process')) {
    throw optionError('listen', listen, 'Several addresses work in processes without `sticky` only.');
  }
  if (startMode === 'process') {
    if (ports.length > 0) throw optionError('ports', ports, "It is for startMode: 'worker_threads'.");
    return;
  }
  if (sizing) throw optionError('workers', sizing, 'The number of threads does not change; give one.');
  if (sticky) throw optionError('sticky', sticky, "Threads cannot receive connections; use startMode: 'process'.");
  if (workers > 1 && ports.length === 0 && (scheduling !== 'reusePort' || !port)) {
    throw optionError(
      'workers',
      workers,
      "Threads share a port with scheduling: 'reusePort' and a port above 0 only; else give ports, one for each thread.",
    );
  }
}

/** Options that are for several processes, or for one that replaces another. */
const NEEDS_MASTER = [
  'sticky',
  'scheduling',
  'reusePort',
  'startMode',
  'execArgv',
  'ready',
  'hangTimeout',
  'maxMemory',
  'maxMemoryHard',
  'maxLoopDelay',
  'maxRequests',
  'maxAge',
] as const;

function checkSingle(options: ClusterOptions, given: StartClusterOptions): void {
  const { scheduling, startMode } = options;
  if (options.admin?.page) {
    throw optionError('admin.page', true, 'Leave it out: with workers: 0 there is no Master to show it.');
  }
  for (const name of NEEDS_MASTER) {
    const value = name === 'reusePort' ? given[name] : options[name];
    const isDefault = { scheduling: scheduling === 'rr', startMode: startMode === 'process' }[name as string];
    if (given[name] === undefined || !value || isDefault) continue;
    const fix = name === 'execArgv' ? 'Give it to node itself, or by NODE_OPTIONS' : 'Leave it out';
    throw optionError(name, given[name], `${fix}: with workers: 0 there is one process, and nothing that replaces it.`);
  }
}

/** @throws {ClutchError} ERR_CLUTCH_OPTION when the limit that kills is below the one that drains */
export function checkMemory({ maxMemory, maxMemoryHard }: Pick<ClusterOptions, 'maxMemory' | 'maxMemoryHard'>): void {
  if (maxMemoryHard === 0 || maxMemoryHard >= maxMemory) return;
  throw optionError('maxMemoryHard', maxMemoryHard, `It kills; give more than maxMemory (${maxMemory}), which drains.`);
}

/** @throws {ClutchError} ERR_CLUTCH_OPTION when it is no number of workers */
export function parseWorkers(given: unknown): number {
  const count = workerCount.parse('workers', given, '');
  if (count === undefined) throw optionError('workers', given, 'Give a whole number from 1 to 1024.');
  return count;
}

/**
 * @param variable environment variable that Egg has for this kind of process
 * @returns milliseconds that a process gets to close
 */
export function closeTimeoutFrom(variable: string, fallback: number): number {
  const milliseconds = Number.parseInt(process.env[variable] ?? process.env['EGG_MASTER_CLOSE_TIMEOUT'] ?? '', 10);
  return milliseconds > 0 ? milliseconds : fallback;
}

/** Same letters in another case, or one letter added, left out or changed, or two swapped. */
function isSimilar(key: string, known: string): boolean {
  const [a, b] = [key.toLowerCase(), known.toLowerCase()];
  if (a === b) return true;
  if (known.length < 5 || Math.abs(a.length - b.length) > 1) return false;
  let start = 0;
  while (start < a.length && a[start] === b[start]) start += 1;
  const [restA, restB] = [a.slice(start), b.slice(start)];
  const swapped = restA[1] === restB[0] && restA[0] === restB[1] && restA.slice(2) === restB.slice(2);
  return swapped || restA.slice(1) === restB.slice(1) || restA.slice(1) === restB || restA === restB.slice(1);
}
