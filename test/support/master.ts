import { startCluster } from 'koa-clutch/cluster';

// The Master of a test: takes its options from the command line and answers questions of the test over IPC.
const handle = await startCluster(JSON.parse(process.argv[2] as string));

const answers: Record<string, (data?: unknown) => unknown> = {
  'test:pids': () => handle.pids,
  'test:reload': () => handle.reload(),
  'test:status': () => handle.status(),
  'test:scale': (data) => handle.scale(data as number),
  'test:admin': () => handle.adminAddress,
  'test:throw': () =>
    void setImmediate(() => {
      throw new Error('a mistake in the Master');
    }),
};

interface Question {
  action: string;
  data?: { reply: string; data?: unknown };
}

process.on('message', async ({ action, data: question }: Question) => {
  const answer = answers[action];
  if (!answer || !question) return;
  const reply = (data: object): void => void process.send?.({ action: question.reply, data });
  try {
    reply({ value: (await answer(question.data)) ?? null });
  } catch (error) {
    reply({ error: (error as Error).message });
  }
});
