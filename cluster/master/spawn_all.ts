import path from 'node:path';
import type { LeaderInfo } from '../../ipc/leader_info.js';
import { usableSocketDirectory } from '../../ipc/socket_path.js';
import type { ClusterOptions } from '../options/options.js';
import { heartbeatInterval } from '../protocol/heartbeat_interval.js';
import { inheritedExecArgv } from '../spawn/exec_argv.js';
import { freePorts } from '../spawn/free_ports.js';
import { ProcessWorkers } from '../spawn/process_workers.js';
import { ThreadWorkers } from '../spawn/thread_workers.js';
import type { WorkerSource } from '../spawn/worker_source.js';
import { AgentPool } from '../supervise/agent_pool.js';
import { type ChildSettings, WorkerPool } from '../supervise/worker_pool.js';

const { randomBytes } = process.getBuiltinModule('node:crypto');

/** The processes of a cluster that have just been forked. */
export interface SpawnedCluster {
  agents: AgentPool;
  workers: WorkerPool;
  source: WorkerSource;
  /** What Leader and Followers need to find and trust each other; `agent` follows the Agent in use. */
  leader: LeaderInfo;
  /** Resolves with the port of the service, when one was to be chosen; rejects when no port is free. */
  ports: Promise<number | undefined>;
  /** When it began, in milliseconds since the epoch. */
  begin: number;
}

/**
 * Forks the Agent and the app workers. Nothing else of the Master is loaded by then: it is while they start.
 *
 * @param framework URL of its entry
 */
export function spawnAll(options: ClusterOptions, framework: string): SpawnedCluster {
  const begin = Date.now();
  const leader: LeaderInfo = {
    token: randomBytes(32).toString('hex'),
    dir: usableSocketDirectory(path.join(options.baseDir, 'run')),
    master: process.pid,
    agent: undefined,
  };
  const { execArgv = inheritedExecArgv(), require, pidFile: _, admin: __, ...rest } = options;
  const childOptions = { ...rest, require, clusterPort: 0, leader };
  const ports = Promise.resolve().then(() => choosePorts(childOptions));
  const settings = (kind: 'app' | 'agent'): ChildSettings => ({
    execArgv,
    // Without ports no child loads the app; the Master ends the boot.
    complete: ports.then(
      () => undefined,
      () => new Promise<never>(() => undefined),
    ),
    prepare: { framework, require },
    boot: {
      options: childOptions,
      closeTimeout: closeTimeout(kind, options.killTimeout),
      statsInterval: heartbeatInterval(options.hangTimeout),
    },
  });
  const source =
    options.startMode === 'process'
      ? new ProcessWorkers(execArgv, options.scheduling === 'shared')
      : new ThreadWorkers(execArgv, options.scheduling === 'reusePort');
  const agents = new AgentPool(settings('agent'));
  const workers = new WorkerPool(settings('app'), source, options.workers);
  agents.start();
  workers.start();
  return { agents, workers, source, leader, ports, begin };
}

/** Picks the port for Leader and Followers while the first processes start; they wait for it before they load the app. */
async function choosePorts(childOptions: ClusterOptions & { clusterPort: number }): Promise<number | undefined> {
  const [clusterPort = 0, port = 0] = await freePorts(2);
  childOptions.clusterPort = clusterPort;
  // Port 0 is chosen here once, so that a replacement listens where the first worker did.
  if (childOptions.port === 0) childOptions.port = port;
  return childOptions.port;
}

/** @returns milliseconds that a process gets to close; the environment variables that Egg has for it win */
function closeTimeout(kind: 'app' | 'agent', fallback: number): number {
  const specific = process.env[kind === 'app' ? 'EGG_APP_CLOSE_TIMEOUT' : 'EGG_AGENT_CLOSE_TIMEOUT'];
  const milliseconds = Number.parseInt(specific ?? process.env['EGG_MASTER_CLOSE_TIMEOUT'] ?? '', 10);
  return milliseconds > 0 ? milliseconds : fallback;
}
