import { admin } from './admin_options.js';
import { usableCpus } from './cpu_quota.js';
import { listeners } from './listeners.js';
import {
  appDirectory,
  boolean,
  https,
  integer,
  type Kind,
  module,
  modules,
  oneOf,
  ports,
  strings,
  text,
  type WorkerRange,
  workerRange,
} from './option_kinds.js';
import { readyPolicy } from './ready_policy.js';

/** A flag of the command line that gives an option, or one leaf of it. */
export interface Flag {
  name: string;
  short?: string;
  /** What follows it; without it the flag is a switch. */
  argument?: string;
  repeatable?: boolean;
  /** Key of the option's object that the flag gives. */
  leaf?: string;
  help: string;
}

export interface Option<Given, Value> {
  kind: Kind<Given, NonNullable<Value>>;
  fallback: () => Value;
  /** The fallback, for the documentation. */
  default: string;
  /** For the documentation. */
  meaning: string;
  flags?: readonly Flag[];
}

type OptionRow<Given, Value> = Omit<Option<Given, Value>, 'kind' | 'fallback'>;

function optional<Given, Value>(
  kind: Kind<Given, Value>,
  row: OptionRow<Given, Value>,
): Option<Given, Value | undefined> {
  return { kind: kind as Kind<Given, NonNullable<Value>>, fallback: () => undefined, ...row };
}

function defaulting<Given, Value>(
  kind: Kind<Given, Value>,
  fallback: () => Value,
  row: OptionRow<Given, Value>,
): Option<Given, Value> {
  return { kind: kind as Kind<Given, NonNullable<Value>>, fallback, ...row };
}

function workersFixed(count: number): WorkerRange {
  return { min: count, max: count, growAfter: 0, shrinkAfter: 0 };
}

/** The options of a cluster. Types, checks, suggestions, flags, help and the table of docs/cluster.md come from here. */
export const OPTIONS = {
  baseDir: defaulting(appDirectory, () => process.cwd(), {
    default: 'current directory',
    meaning: 'directory of the app',
  }),
  framework: optional(text, {
    default: '`egg.framework`, else Clutch',
    meaning: 'package or directory of the framework',
    flags: [
      {
        name: 'framework',
        argument: 'name',
        help: 'package or directory; default: egg.framework of package.json, else Clutch',
      },
    ],
  }),
  workers: defaulting(workerRange, () => workersFixed(usableCpus()), {
    default: 'usable CPUs',
    meaning:
      'app workers, as many as are needed between `min` and `max`; by default as many as affinity and the quota of the control group (CPU limit of a container) allow; 0 runs Agent and app in one process, without a Master',
    flags: [
      {
        name: 'workers',
        short: 'c',
        argument: 'count',
        help: 'app workers, or min-max for as many as are needed, or 0 for one process; default: the number of usable CPUs',
      },
    ],
  }),
  port: optional(integer(0, 65_535), {
    default: '8443 with option `https`, else `config.cluster.listen.port`, 7001',
    meaning: 'TCP port; 0 takes a free one',
    flags: [
      {
        name: 'port',
        short: 'p',
        argument: 'port',
        help: 'default: environment variable PORT, else config.cluster.listen.port (7001)',
      },
    ],
  }),
  https: optional(https, {
    default: '`config.cluster.https`',
    meaning:
      'paths, PEM texts or buffers, each of which wins over its config; files are read by each worker, and again when they change; `false`: plain HTTP',
  }),
  listen: optional(listeners, {
    default: '`port`, `https`',
    meaning:
      'several addresses for one app, in place of `port`; the first is the one that is shown. `https: true` takes key and certificate of the option or config; `http2: true` speaks HTTP/2 beside HTTP/1.1. Not with `sticky` or threads',
  }),
  debugPort: optional(integer(0, 65_535), {
    default: '–',
    meaning: 'one more port, with plain HTTP, for the same app',
  }),
  sticky: defaulting(boolean, () => false, {
    default: '`false`',
    meaning: 'all connections of one client address go to one worker',
    flags: [{ name: 'sticky', help: 'the same worker for all connections of a client address' }],
  }),
  scheduling: defaulting(oneOf('rr', 'least', 'shared', 'reusePort'), () => 'rr' as const, {
    default: '`rr`',
    meaning:
      'who accepts connections. `rr`: the Master, for each worker in turn; `least`: the Master, for the worker with the fewest requests in flight and, among those, the least event-loop delay; `shared`: the worker that the kernel wakes; `reusePort`: each worker on a socket of its own, which loses what the kernel holds for a worker that ends, a reload included (Node 22.12 or later, Linux)',
    flags: [{ name: 'scheduling', argument: 'policy', help: 'rr, least, shared or reusePort; default rr' }],
  }),
  reusePort: defaulting(boolean, () => false, { default: '`false`', meaning: "the same as `scheduling: 'reusePort'`" }),
  startMode: defaulting(oneOf('process', 'worker_threads'), () => 'process' as const, {
    default: '`process`',
    meaning: '`worker_threads` runs Agent and workers as threads of the Master',
  }),
  ports: defaulting(ports, () => [], { default: '–', meaning: 'with `worker_threads`: one worker for each port' }),
  env: optional(text, {
    default: '`EGG_SERVER_ENV`',
    meaning: 'server env of all processes',
    flags: [{ name: 'env', argument: 'env', help: 'the server env; default: config/env, EGG_SERVER_ENV, else prod' }],
  }),
  require: defaulting(modules, () => [], {
    default: '–',
    meaning: 'modules that Agent and app workers load first',
    flags: [
      {
        name: 'require',
        argument: 'module',
        repeatable: true,
        help: 'loaded first in Agent and app workers; may be repeated',
      },
    ],
  }),
  telemetry: optional(module, {
    default: '–',
    meaning:
      'a module that starts OpenTelemetry, which every process loads before all else (`--import`): [telemetry.md](telemetry.md)',
    flags: [
      { name: 'telemetry', argument: 'module', help: 'starts OpenTelemetry; every process loads it before all else' },
    ],
  }),
  pidFile: optional(text, { default: '–', meaning: "file with the Master's pid, removed at the end" }),
  title: optional(text, {
    default: '–',
    meaning: 'name in the process list',
    flags: [{ name: 'title', argument: 'title', help: 'name in the process list; default clutch-server' }],
  }),
  execArgv: optional(strings, { default: 'those of the Master', meaning: 'Node options of the children' }),
  killTimeout: defaulting(integer(1), () => 5000, {
    default: '5000 ms',
    meaning:
      'for what is in flight when a worker leaves; `EGG_APP_CLOSE_TIMEOUT`, `EGG_AGENT_CLOSE_TIMEOUT` and `EGG_MASTER_CLOSE_TIMEOUT` win',
    flags: [{ name: 'kill-timeout', argument: 'ms', help: 'for what is in flight when a worker leaves; default 5000' }],
  }),
  drainTimeout: defaulting(integer(0), () => 0, {
    default: '0 ms: `killTimeout`',
    meaning:
      'in all for a leaving worker while its connections make progress: a response is read, an upload comes, a web socket is used. What is cut is counted in the log',
    flags: [
      {
        name: 'drain-timeout',
        argument: 'ms',
        help: 'the same in all, while connections make progress; default kill-timeout',
      },
    ],
  }),
  configTimeout: optional(integer(1), {
    default: '10000 ms',
    meaning: 'for each async config function, before its last result on disk is used instead',
  }),
  hangTimeout: defaulting(integer(0), () => 30_000, {
    default: '30000 ms',
    meaning: 'of a blocked event loop until a process is replaced; four times as much while it boots; 0 turns it off',
    flags: [
      {
        name: 'hang-timeout',
        argument: 'ms',
        help: 'of a blocked event loop until a process is replaced; default 30000, 0 for never',
      },
    ],
  }),
  maxMemory: defaulting(integer(0), () => 0, {
    default: '0: no limit',
    meaning: 'MiB of resident memory above which a worker is replaced: the new one is ready before the old one drains',
    flags: [{ name: 'max-memory', argument: 'MiB', help: 'above which a worker is replaced; default never' }],
  }),
  maxMemoryHard: defaulting(integer(0), () => 0, {
    default: '0: no limit',
    meaning: 'MiB of resident memory above which a worker is killed',
    flags: [{ name: 'max-memory-hard', argument: 'MiB', help: 'above which a worker is killed; default never' }],
  }),
  maxLoopDelay: defaulting(integer(0), () => 0, {
    default: '0: no limit',
    meaning: 'ms of event-loop delay (p99 of each second) above which a worker is replaced, if it is so for 10 s',
    flags: [{ name: 'max-loop-delay', argument: 'ms', help: 'above which a worker is replaced; default never' }],
  }),
  maxRequests: defaulting(integer(0), () => 0, {
    default: '0: no limit',
    meaning: 'requests after which a worker is replaced; up to a fifth more, so that workers do not leave together',
    flags: [{ name: 'max-requests', argument: 'n', help: 'after which a worker is replaced; default never' }],
  }),
  ready: optional(readyPolicy, {
    default: 'all to start, then one',
    meaning:
      'app workers that must take requests until the start is complete, and below which `/readyz` is 503. A share is one of the workers that are wanted',
    flags: [
      { name: 'ready', argument: 'count', help: 'workers, or a share as 50%, that make the app ready; default all' },
    ],
  }),
  preStopDelay: defaulting(integer(0), () => 0, {
    default: '0 ms',
    meaning:
      'between SIGTERM (or `clutch stop`, `close()`) and the begin of the drain: readiness is false, and requests are served until load balancers have noticed',
    flags: [
      { name: 'pre-stop-delay', argument: 'ms', help: 'serve on after SIGTERM, no longer ready, before the drain' },
    ],
  }),
  maxAge: defaulting(integer(0), () => 0, {
    default: '0: no limit',
    meaning: 'ms after which a worker is replaced; up to a fifth more, so that workers do not leave together',
    flags: [{ name: 'max-age', argument: 'ms', help: 'after which a worker is replaced; default never' }],
  }),
  requestTimeout: defaulting(integer(0), () => 0, {
    default: '0: no limit',
    meaning:
      'ms in which the app must begin its response to a request that has arrived; else the log names the request and its route, and the worker is replaced',
    flags: [{ name: 'request-timeout', argument: 'ms', help: 'for the app to begin a response; default no limit' }],
  }),
  admin: optional(admin, {
    default: '–',
    meaning:
      'HTTP listener of the Master with `/livez`, `/readyz`, `/startupz` and `/metrics`, and with `page: true` the [admin page](admin.md); host `127.0.0.1` unless given. The page on any other address needs a token',
    flags: [
      { name: 'admin-port', argument: 'port', leaf: 'port', help: 'for probes, /metrics and the page; default none' },
      { name: 'admin-host', argument: 'host', leaf: 'host', help: 'default 127.0.0.1' },
      { name: 'admin-path', argument: 'file', leaf: 'path', help: 'a unix socket, in place of a port' },
      {
        name: 'admin-page',
        leaf: 'page',
        help: 'serve the admin page; on other hosts than 127.0.0.1 set CLUTCH_ADMIN_TOKEN',
      },
      { name: 'admin-read-only', leaf: 'readOnly', help: 'the page shows, and changes nothing' },
      {
        name: 'admin-allowed-host',
        argument: 'name',
        repeatable: true,
        leaf: 'allowedHosts',
        help: 'a name under which the page may be visited; may be repeated',
      },
    ],
  }),
};

/** What can be changed while the cluster runs, and when that takes effect. */
export const CHANGEABLE = {
  workers: 'at once',
  maxMemory: 'at once',
  maxMemoryHard: 'at once',
  maxLoopDelay: 'at once',
  maxRequests: 'at once',
  maxAge: 'at once',
  hangTimeout: 'at once',
  preStopDelay: 'at once',
  requestTimeout: 'after the next reload',
} as const satisfies Partial<Record<keyof typeof OPTIONS, string>>;

/** Passed on to `new Agent()` and `new Application()`, and therefore not misspelt. */
export const APP_OPTIONS = ['plugins', 'typescript', 'mode'];

/** @returns the table of docs/cluster.md */
export function optionTable(): string {
  const rows = Object.entries(OPTIONS).map(
    ([name, { kind, default: fallback, meaning }]) =>
      `| \`${name}\` | ${kind.type} | ${fallback} | ${(CHANGEABLE as Record<string, string>)[name] ?? ''} | ${meaning} |`,
  );
  return ['| option | type | default | `clutch set` | meaning |', '|---|---|---|---|---|', ...rows].join('\n');
}
