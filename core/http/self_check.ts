import type { IncomingMessage, ServerResponse } from 'node:http';
import { Writable } from 'node:stream';
import { DUMP } from './node_internals.js';

interface HttpClasses {
  IncomingMessage: new (socket: never) => IncomingMessage;
  ServerResponse: new (req: IncomingMessage) => ServerResponse;
}

interface Case {
  method?: string;
  httpVersion?: '1.0' | '1.1';
  respond(res: ServerResponse): void;
}

const CASES: Record<string, Case> = {
  'a text with headers': {
    respond(res) {
      res.setHeader('Content-Type', 'text/plain');
      res.setHeader('X-A', 1);
      res.setHeader('Content-Length', 6);
      res.end('héllo');
    },
  },
  'a header that is replaced and one that is removed': {
    respond(res) {
      res.setHeader('X-A', '1');
      res.setHeader('x-a', '2');
      res.setHeader('X-B', '1');
      res.removeHeader('x-b');
      res.setHeader('Set-Cookie', ['a=1', 'b=2']);
      res.end(`${res.getHeaderNames()} ${res.getHeader('X-A')} ${res.hasHeader('X-B')}`);
    },
  },
  'a status without a body': {
    respond(res) {
      res.statusCode = 204;
      res.setHeader('X-A', '1');
      res.end();
    },
  },
  'an unusual status message': {
    respond(res) {
      res.statusCode = 404;
      res.statusMessage = 'Gone Fishing';
      res.end('none');
    },
  },
  'chunks of unknown length': {
    respond(res) {
      res.setHeader('X-A', '1');
      res.write('one');
      res.end('two');
    },
  },
  'a HEAD request': {
    method: 'HEAD',
    respond(res) {
      res.setHeader('Content-Length', '5');
      res.end('hello');
    },
  },
  'a client of HTTP/1.0': {
    httpVersion: '1.0',
    respond: (res) => res.end('hello'),
  },
};

/** A socket that keeps what is written to it. */
class Recorder extends Writable {
  #bytes = '';

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.#bytes += chunk.toString('latin1');
    done();
  }

  /** What was written, with the header lines in order: theirs is of no meaning. The date varies. */
  get seen(): string {
    const [head = '', body] = this.#bytes.split('\r\n\r\n');
    const [first, ...headers] = head.replace(/\r\nDate: [^\r]+/, '\r\nDate').split('\r\n');
    return [first, ...headers.sort(), '', body].join('\r\n');
  }
}

/**
 * Compares what a client sees of a few responses with what it sees of Node's. Everything is in memory and synchronous,
 * without a server, so that neither tracers nor diagnostics channels see it.
 *
 * @returns the case in which they differ, or the error that one of them throws
 */
export function findDifference(node: HttpClasses, fast: HttpClasses): string | undefined {
  try {
    for (const [name, checked] of Object.entries(CASES)) if (run(checked, node) !== run(checked, fast)) return name;
    return isClosedUnread(fast) ? undefined : 'a request that nobody reads';
  } catch (error) {
    return String(error);
  }
}

function run({ method = 'GET', httpVersion = '1.1', respond }: Case, classes: HttpClasses): string {
  const socket = new Recorder();
  const req = new classes.IncomingMessage(socket as never);
  const [major, minor] = httpVersion.split('.').map(Number);
  Object.assign(req, { method, url: '/', httpVersion, httpVersionMajor: major, httpVersionMinor: minor });
  const res = new classes.ServerResponse(req);
  res.assignSocket(socket as never);
  respond(res);
  return socket.seen;
}

function isClosedUnread({ IncomingMessage: Class }: HttpClasses): boolean {
  const req = new Class(new Recorder() as never) as IncomingMessage & Record<typeof DUMP, () => void>;
  req.push(null);
  const isHeld = req.readable && !req.readableEnded;
  req[DUMP]();
  return isHeld && !req.readable && req.readableEnded && req.destroyed && req.closed;
}
