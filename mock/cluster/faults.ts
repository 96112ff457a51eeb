// Loaded first in Agent and app workers of `mock.cluster()`.

interface Message {
  action?: unknown;
  data?: unknown;
}

process.on('message', (message: Message | undefined) => {
  if (message?.action !== 'clutch-mock:block' || typeof message.data !== 'number') return;
  const end = Date.now() + message.data;
  while (Date.now() < end);
});
