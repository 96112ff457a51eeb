import cluster from 'node:cluster';
import { type StartClusterOptions, startCluster } from '../../cluster/index.js';
import { toError } from '../../errors.js';

// The Master of `mock.cluster()`, in a process of its own: takes its options and commands from the test over IPC.

interface Command {
  id: number;
  name: keyof typeof commands;
  data: unknown;
}

const reply = (message: object): void => void process.send?.(message);
const handle = await startCluster(JSON.parse(process.argv[2] as string) as StartClusterOptions);

const commands = {
  reload: () => handle.reload(),
  scale: (workers: unknown) => handle.scale(workers as number),
  status: () => handle.status(),
  close: () => handle.close(),
  /** Blocks the event loop of a worker, which ./faults.ts listens for. */
  block: (data: unknown) => {
    const { pid, duration } = data as { pid: number; duration: number };
    const worker = Object.values(cluster.workers ?? {}).find((each) => each?.process.pid === pid);
    worker?.process.send({ action: 'clutch-mock:block', data: duration });
    return worker !== undefined;
  },
};

process.on('message', async ({ id, name, data }: Command) => {
  try {
    reply({ id, value: await commands[name]?.(data) });
  } catch (error) {
    reply({ id, error: toError(error).message });
  }
});
// A test that has ended leaves no cluster behind.
process.once('disconnect', () => void handle.close().finally(() => process.exit()));
reply({ ready: { address: handle.address, adminAddress: handle.adminAddress } });
