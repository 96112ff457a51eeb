import assert from 'node:assert/strict';
import events from 'node:events';
import http from 'node:http';
import net from 'node:net';
import { finished, type Readable, Writable } from 'node:stream';
import { test } from 'node:test';
import { setImmediate as nextIteration } from 'node:timers/promises';
import { fastClasses } from '../../support/fast_classes.js';
import { type Handler, sameAsNode } from '../../support/same_as_node.js';

// What a handler sees of a request without a body must be what Node shows, however and whenever it looks.

type Request = http.IncomingMessage;
type See = (value: unknown) => void;

function states(req: Request): unknown[] {
  const { readable, readableEnded, readableFlowing, readableLength, readableAborted, readableDidRead } = req;
  const { destroyed, closed, complete, aborted, errored } = req;
  return [
    readable,
    readableEnded,
    readableFlowing,
    readableLength,
    readableAborted,
    readableDidRead,
    destroyed,
    closed,
    complete,
    aborted,
    errored,
  ];
}

const LOOKS: Record<string, (req: Request, see: See) => unknown> = {
  'its state': (req, see) => see(states(req)),
  'on end': (req, see) => req.on('end', () => see('end')),
  'on close': (req, see) => req.on('close', () => see(['close', states(req)])),
  'once for all events': (req, see) => {
    for (const name of ['end', 'close', 'error', 'aborted']) req.once(name, () => see(name));
  },
  addListener: (req, see) => req.addListener('end', () => see('end')),
  'prepended listeners': (req, see) => {
    req.prependListener('end', () => see('end'));
    req.prependOnceListener('close', () => see('close'));
  },
  'data and end': (req, see) => req.on('data', see).on('end', () => see('end')),
  readable: (req, see) => {
    req.on('readable', () => see(['readable', req.read()]));
    req.on('end', () => see('end'));
  },
  read: (req, see) => see(req.read()),
  'resume, then the state': async (req, see) => {
    req.resume();
    await nextIteration();
    see(states(req));
  },
  'pause and resume': async (req, see) => {
    req.on('end', () => see('end'));
    req.pause();
    await nextIteration();
    see(req.isPaused());
    req.resume();
  },
  'for await': async (req, see) => {
    for await (const chunk of req) see(chunk);
    see(states(req));
  },
  pipe: async (req, see) => {
    const sink = new Writable({
      write(chunk, _encoding, done) {
        see(String(chunk));
        done();
      },
    });
    req.pipe(sink);
    await events.once(sink, 'finish');
    see('finish');
  },
  'events.once': (req, see) => void events.once(req, 'end').then(see),
  'stream.finished': (req, see) => finished(req, (error) => see(error?.code ?? 'finished')),
  toArray: async (req, see) => see(await (req as Readable).toArray()),
  'a text put back': async (req, see) => {
    req.setEncoding('utf8');
    req.unshift('back');
    for await (const chunk of req) see(chunk);
  },
};

const BODIES: Record<string, string> = {
  GET: 'GET / HTTP/1.1\r\nHost: x\r\n\r\n',
  'an empty POST': 'POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n',
  'a POST': 'POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\nbody',
  'a chunked POST': 'POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nbody\r\n0\r\n\r\n',
};

for (const [body, bytes] of Object.entries(BODIES)) {
  for (const [name, look] of Object.entries(LOOKS)) {
    test(`${body}, as from Node: ${name}, at once, later, and after the response`, async (t) => {
      const atOnce: Handler = async (req, res, see) => {
        await look(req, see);
        res.end('x');
      };
      const later: Handler = async (req, res, see) => {
        await nextIteration();
        await atOnce(req, res, see);
      };
      const after: Handler = (req, res, see) => {
        res.end('x');
        return look(req, see);
      };
      for (const handler of [atOnce, later, after]) await sameAsNode(t, handler, bytes);
    });
  }
  test(`${body}, as from Node: nobody reads it; its state when the response is closed`, (t) =>
    sameAsNode(
      t,
      (req, res, see) => {
        res.on('close', async () => {
          await nextIteration();
          const { readableEnded, destroyed, closed, complete, aborted, errored, readable } = req;
          see([readableEnded, destroyed, closed, complete, aborted, errored, readable]);
          req.on('end', () => see('too late'));
        });
        res.end('x');
      },
      bytes.repeat(3),
    ));
}

/** Runs a request on Node's server and on one with the fast classes; `act` runs on the client's socket. */
async function sameEvents(handle: (req: Request, act: () => void) => void, act: (socket: net.Socket) => void) {
  const outcomes = [];
  for (const options of [{}, fastClasses]) {
    const seen: string[] = [];
    const server = http.createServer(options, async (req) => {
      await nextIteration();
      for (const name of ['end', 'close', 'error', 'aborted']) {
        req.on(name, (error?: NodeJS.ErrnoException) => seen.push(error ? `${name} ${error.code}` : name));
      }
      handle(req, () => act(client));
    });
    server.listen(0);
    const gone = new Promise((resolve) => server.on('connection', (socket) => socket.on('close', resolve)));
    const { port } = server.address() as net.AddressInfo;
    const client = net.connect(port, '127.0.0.1', () => client.write(BODIES['GET'] as string));
    client.on('error', () => undefined);
    await gone;
    client.destroy();
    await new Promise((resolve) => server.close(resolve));
    outcomes.push(seen);
  }
  assert.deepEqual(outcomes[1], outcomes[0]);
  assert.ok(outcomes[0]?.includes('close'));
}

test('a client that disconnects before the response: the same events', () =>
  sameEvents(
    (_req, act) => act(),
    (socket) => socket.resetAndDestroy(),
  ));

test('a request that is destroyed: the same events', () =>
  sameEvents(
    (req) => req.destroy(new Error('enough')),
    () => undefined,
  ));
