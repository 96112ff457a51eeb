import { startCluster } from 'koa-clutch/cluster';

// The Master of a test: takes its options from the command line and answers questions of the test over IPC.
const handle = await startCluster(JSON.parse(process.argv[2] as string));

const answers: Record<string, () => unknown> = {
  'test:pids': () => handle.pids,
  'test:reload': () => handle.reload(),
};

process.on('message', async ({ action }: { action: string }) => {
  const answer = answers[action];
  if (!answer) return;
  try {
    process.send?.({ action, data: { value: (await answer()) ?? null } });
  } catch (error) {
    process.send?.({ action, data: { error: (error as Error).message } });
  }
});
