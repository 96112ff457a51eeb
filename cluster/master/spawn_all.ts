import { once } from 'node:events';
import net, { type AddressInfo } from 'node:net';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import type { LeaderInfo } from '../../ipc/socket_path.js';
import { usableSocketDirectory } from '../../ipc/socket_path.js';
import type { InheritedSockets } from '../listen/inherited_sockets.js';
import { type ClusterOptions, closeTimeoutFrom } from '../options/options.js';
import { hasInspector, heartbeatInterval } from '../protocol/protocol.js';
import { type ChildSource, ProcessSource, ThreadSource } from '../spawn/child_source.js';
import { ClusterWorkers } from '../spawn/cluster_workers.js';
import { SpareSource } from '../spawn/spare_source.js';
import { reapOrphans } from '../supervise/orphan_reaper.js';
import { Supervisor, type SupervisorOptions } from '../supervise/supervisor.js';

const { randomBytes } = process.getBuiltinModule('node:crypto');

const AGENT_ENTRY = fileURLToPath(new URL('../worker/agent_worker.js', import.meta.url));
const WORKER_ENTRY = fileURLToPath(new URL('../worker/app_worker.js', import.meta.url));

/** The processes of a cluster that have just been forked. */
export interface SpawnedCluster {
  agents: Supervisor;
  workers: Supervisor;
  /** Where app workers come from. */
  source: ChildSource;
  /** What Leader and Followers need to find and trust each other; `agent` follows the Agent in use. */
  leader: LeaderInfo;
  /** Resolves once the ports are chosen; rejects when none is free. */
  ports: Promise<ChosenPorts>;
  /** When it began, in milliseconds since the epoch. */
  begin: number;
}

/**
 * Forks the Agent and the app workers. Nothing else of the Master is loaded by then: it is while they start.
 *
 * @param framework URL of its entry
 * @param from what the Master has inherited: sockets, and the port that was chosen for port 0
 */
export function spawnAll(
  options: ClusterOptions,
  framework: string,
  { inherited, port }: { inherited: InheritedSockets; port: number | undefined },
): SpawnedCluster {
  const begin = Date.now();
  const leader: LeaderInfo = {
    token: randomBytes(32).toString('hex'),
    dir: usableSocketDirectory(path.join(options.baseDir, 'run')),
    master: process.pid,
    agent: undefined,
  };
  const { execArgv: given = inheritedExecArgv(), telemetry, require, pidFile: _, admin: __, ...rest } = options;
  const execArgv = telemetry ? [...given, '--import', telemetry] : given;
  let chosen: ChosenPorts | undefined;
  const supervisor = (
    kind: 'agent' | 'app worker',
    source: ChildSource,
    { count, timeout }: { count: number; timeout: string },
  ): Supervisor => {
    const closeTimeout = closeTimeoutFrom(timeout, options.killTimeout);
    // The hooks run after the last connection has closed.
    const drainTimeout = options.drainTimeout > 0 ? options.drainTimeout + closeTimeout : closeTimeout;
    const statsInterval = heartbeatInterval(options.hangTimeout);
    const boot: SupervisorOptions['boot'] = (slot) => {
      if (!chosen) throw new Error('no process boots before the ports are chosen');
      const port = kind === 'agent' ? chosen.port : (options.ports[slot] ?? chosen.port);
      return { options: { ...rest, require, leader, ...chosen, port }, closeTimeout, statsInterval };
    };
    return new Supervisor({ kind, source, count, prepare: { framework, require }, boot, closeTimeout, drainTimeout });
  };
  const [agentSource, source] = sources(options, execArgv, inherited);
  const agents = supervisor('agent', agentSource, {
    count: 1,
    timeout: 'EGG_AGENT_CLOSE_TIMEOUT',
  });
  // `clutch dev` replaces workers all day long, while someone waits.
  const isDev = process.env['CLUTCH_DEV'] === '1' && options.startMode === 'process' && !hasInspector(execArgv);
  const workers = supervisor('app worker', isDev ? new SpareSource(source, { framework, require }) : source, {
    count: options.workers,
    timeout: 'EGG_APP_CLOSE_TIMEOUT',
  });
  // Threads end with the Master's process.
  if (options.startMode === 'process') reapOrphans([agents, workers]);
  agents.start();
  workers.start();
  const ports = choosePorts(port ?? options.port).then((found) => {
    chosen = found;
    agents.release();
    return found;
  });
  // Without ports no child loads the app: the Master ends the boot.
  ports.catch(() => undefined);
  return { agents, workers, source, leader, ports, begin };
}

/** @returns where the Agent and the app workers come from */
function sources(
  { startMode, scheduling, workers }: ClusterOptions,
  execArgv: string[],
  inherited: InheritedSockets,
): [ChildSource, ChildSource] {
  if (startMode === 'worker_threads') {
    return [
      new ThreadSource(AGENT_ENTRY, execArgv, { exclusive: false }),
      new ThreadSource(WORKER_ENTRY, execArgv, { exclusive: scheduling !== 'reusePort' }),
    ];
  }
  const policy = { shared: scheduling === 'shared', least: scheduling === 'least' };
  return [
    new ProcessSource(AGENT_ENTRY, hasInspector(execArgv) ? [...execArgv, agentInspector()] : execArgv),
    new ClusterWorkers({ entry: WORKER_ENTRY, execArgv, ...policy, count: workers, inherited }),
  ];
}

/** The Agent's port is where Egg has it. */
function agentInspector(): string {
  return `--inspect-port=${process.env['EGG_AGENT_DEBUG_PORT'] ?? 5800}`;
}

interface ChosenPorts {
  /** For Leader and Followers. */
  clusterPort: number;
  /** Of the service. */
  port: number | undefined;
}

/** Chooses ports while the first processes start; they wait for them before they load the app. */
async function choosePorts(wanted: number | undefined): Promise<ChosenPorts> {
  const [clusterPort = 0, port = 0] = await freePorts(2);
  // Port 0 is chosen here once, so that a replacement listens where the first worker did.
  return { clusterPort, port: wanted === 0 ? port : wanted };
}

/** @returns ports that nobody listens on, on any address; all of them different */
async function freePorts(count: number): Promise<number[]> {
  const servers = Array.from({ length: count }, () => net.createServer().listen(0));
  const ports = await Promise.all(
    servers.map(async (server) => {
      await once(server, 'listening');
      return (server.address() as AddressInfo).port;
    }),
  );
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports;
}

/**
 * @returns options of Node that a child with a file of its own can have too: without the program of `node -e`, which
 * Node's own `fork` leaves out as well, and what says how to read it
 */
function inheritedExecArgv(): string[] {
  const found: string[] = [];
  let isProgram = false;
  for (const option of process.execArgv) {
    if (/^(?:-e|-p|-pe|--eval|--print|--input-type)$/.test(option)) isProgram = true;
    else if (isProgram) isProgram = false;
    else if (!/^--(?:eval|print|input-type)=/.test(option)) found.push(option);
  }
  return found;
}
