import assert from 'node:assert/strict';
import { AsyncLocalStorage } from 'node:async_hooks';
import { fork } from 'node:child_process';
import { once } from 'node:events';
import type http from 'node:http';
import type { Socket } from 'node:net';
import { test } from 'node:test';
import { ask, connect, type FastResponse, isWaiting, startBursts } from '../../support/burst.js';

const PATHS = Array.from({ length: 128 }, (_, index) => `/${index}`);

/** Sends bursts until responses wait for the end of their event-loop iteration, as they do while there are many. */
async function untilBatching(ask: (paths: string[]) => Promise<string[]>, waited: () => boolean): Promise<void> {
  for (let round = 0; round < 50 && !waited(); round += 1) assert.deepEqual(await ask(PATHS), PATHS);
  assert.ok(waited());
}

test('responses of a busy event-loop iteration are sent before what their handlers left to setImmediate', async (t) => {
  let waited = 0;
  const early: string[] = [];
  const { ask } = await startBursts(t, PATHS.length, (req, res) => {
    setImmediate(() => {
      if (!res.writableFinished) early.push(req.url as string);
    });
    res.endInBatch(req.url as string);
    if (isWaiting(res)) waited += 1;
  });
  await untilBatching(ask, () => waited > 0);
  assert.deepEqual(early, []);
});

test('closing idle connections keeps one whose response waits for the end of the iteration', async (t) => {
  let waited = 0;
  const { server, ask } = await startBursts(t, PATHS.length, (req, res) => {
    res.endInBatch(req.url as string);
    if (isWaiting(res)) {
      waited += 1;
      server.closeIdleConnections();
    }
  });
  await untilBatching(ask, () => waited > 0);
});

test('listeners of the end of a response run in the async context of its request', async (t) => {
  const storage = new AsyncLocalStorage<string>();
  const waited = new Set<string>();
  const seen: Record<string, Set<string | undefined>> = {};
  type Listen = (req: http.IncomingMessage, res: http.ServerResponse, listener: () => void) => void;
  const none = (): void => undefined;
  const ways: Record<string, [before: Listen, after: Listen]> = {
    finish: [(_req, res, listener) => res.on('finish', listener), none],
    close: [(_req, res, listener) => res.once('close', listener), none],
    prefinish: [(_req, res, listener) => res.prependListener('prefinish', listener), none],
    'close of the request': [(req, _res, listener) => req.on('close', listener), none],
    'finish, late': [none, (_req, res, listener) => res.on('finish', listener)],
    'close, late': [none, (_req, res, listener) => res.once('close', listener)],
  };
  const names = Object.keys(ways);
  const { ask } = await startBursts(t, PATHS.length, (req, res) => {
    const url = req.url as string;
    const name = names[Number(url.slice(1)) % names.length] as string;
    const [before, after] = ways[name] as [Listen, Listen];
    const listener = (): void => {
      (seen[name] ??= new Set()).add(storage.getStore() === url ? 'own' : storage.getStore());
    };
    // Until then the request has ended, too.
    const respond = async (): Promise<void> => {
      await undefined;
      before(req, res, listener);
      res.endInBatch(url);
      if (isWaiting(res)) waited.add(name);
      after(req, res, listener);
    };
    void storage.run(url, respond);
  });
  await untilBatching(ask, () => waited.size === names.length);
  for (const name of names) assert.deepEqual([...(seen[name] ?? [])], ['own'], name);
});

test('an end or a write after a waiting response comes after it', async (t) => {
  const codes = new Set<unknown>();
  let waited = 0;
  const { ask } = await startBursts(t, PATHS.length, (req, res) => {
    res.endInBatch(req.url as string);
    if (!isWaiting(res)) return;
    waited += 1;
    res.on('error', (error: NodeJS.ErrnoException) => codes.add(error.code));
    if (waited % 2) res.end('more');
    else res.write('more');
    assert.ok(res.writableEnded);
  });
  await untilBatching(ask, () => waited > 1);
  assert.deepEqual([...codes], ['ERR_STREAM_WRITE_AFTER_END']);
});

test('a response that cannot be written closes its connection, and the others of its iteration are sent', async (t) => {
  let broken: string | undefined;
  const { ask } = await startBursts(t, PATHS.length, (req, res) => {
    res.endInBatch(req.url as string);
    if (broken !== undefined || !isWaiting(res)) return;
    broken = req.url;
    (res.socket as Socket).write = () => {
      throw new Error('broken');
    };
  });
  let bodies: string[] = [];
  for (let round = 0; round < 50 && broken === undefined; round += 1) bodies = await ask(PATHS);
  assert.notEqual(broken, undefined);
  assert.deepEqual(
    bodies,
    PATHS.map((path) => (path === broken ? '' : path)),
  );
});

test('a response waits for at most one slow handler of its iteration', async (t) => {
  let waited = 0;
  let slow: FastResponse[] | undefined;
  let kept = 0;
  const { ask } = await startBursts(t, PATHS.length, (req, res) => {
    if (slow) {
      const begin = Date.now();
      while (Date.now() - begin < 5);
      kept = Math.max(kept, slow.filter(isWaiting).length);
      slow.push(res);
    }
    res.endInBatch(req.url as string);
    if (isWaiting(res)) waited += 1;
  });
  for (let round = 0; round < 50 && kept === 0; round += 1) {
    slow = undefined;
    waited = 0;
    await untilBatching(ask, () => waited > 0);
    slow = [];
    await ask(PATHS.slice(0, 8));
  }
  assert.equal(kept, 1);
});

test('responses that come one by one are sent at once', async (t) => {
  let waited = 0;
  const { ask } = await startBursts(t, 1, (req, res) => {
    res.endInBatch(req.url as string);
    if (isWaiting(res)) waited += 1;
  });
  for (let round = 0; round < 300; round += 1) await ask(['/']);
  assert.ok(waited < 30, `${waited} of 300 waited`);
});

test('waiting responses are sent when the process exits', async (t) => {
  const child = fork(new URL('../../support/exit_in_batch.js', import.meta.url));
  t.after(() => child.kill('SIGKILL'));
  const exited = once(child, 'exit');
  const [port] = (await once(child, 'message')) as [number];
  const sockets = await connect(port, PATHS.length);
  const paths = [...PATHS.slice(1), '/exit'];
  let gone = false;
  void exited.then(() => {
    gone = true;
  });
  for (let round = 0; round < 200 && !gone; round += 1) {
    const bodies = Promise.all(paths.map((path, index) => ask(sockets[index] as Socket, path)));
    await Promise.race([once(child, 'message'), exited]);
    assert.equal((await bodies).at(-1), '/exit');
  }
  assert.deepEqual(await exited, [7, null]);
});
