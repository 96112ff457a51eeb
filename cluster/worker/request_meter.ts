import type { Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { LATENCY_BOUNDS, type LatencyHistogram } from '../protocol/protocol.js';

// A global is looked up each time it is named.
const { performance } = globalThis;

const STARTED = Symbol('started');
const RESPONSE = Symbol('response');

interface Timed extends ServerResponse {
  [STARTED]?: number;
}

interface Connection extends Socket {
  /** The response to the last request that has come on this connection, until it is closed. */
  [RESPONSE]?: ServerResponse | undefined;
}

/** Counts the requests of a worker and knows those that are in flight. */
export class RequestMeter {
  /** Requests whose response has ended. */
  requests = 0;
  inFlight = 0;
  /** Connections that stay open after their request: web sockets, streams of events. */
  live = 0;
  readonly latency: LatencyHistogram = { counts: new Array<number>(LATENCY_BOUNDS.length + 1).fill(0), sum: 0 };
  readonly #connections = new Set<Connection>();
  readonly #onClose: (this: ServerResponse) => void;

  constructor() {
    const meter = this;
    // One listener for all responses: a closure per request would be garbage per request.
    this.#onClose = function (this: ServerResponse) {
      meter.#end(this);
    };
  }

  /** Keeps the server's connections; what is in flight is found through them, so that requests need no list. */
  watch(server: Server): void {
    const keep = (socket: Connection): void => {
      this.#connections.add(socket);
      socket.once('close', () => this.#connections.delete(socket));
    };
    server.on('connection', keep);
    // With TLS, responses belong to the socket that decrypts.
    server.on('secureConnection', keep);
  }

  begin(res: Timed): void {
    this.inFlight += 1;
    res[STARTED] = performance.now();
    (res.req.socket as Connection)[RESPONSE] = res;
    res.on('close', this.#onClose);
  }

  /** A request has become a connection that stays open: it is counted apart from those in flight. */
  beginLive(carrier: Timed | Duplex): void {
    this.live += 1;
    carrier.once('close', () => {
      this.live -= 1;
    });
    const res = 'req' in carrier ? carrier : (carrier as Connection)[RESPONSE];
    if (res?.listeners('close').includes(this.#onClose)) {
      res.off('close', this.#onClose);
      this.#end(res);
    }
  }

  #end(res: Timed): void {
    const seconds = (performance.now() - (res[STARTED] as number)) / 1000;
    let index = 0;
    while (index < LATENCY_BOUNDS.length && seconds > (LATENCY_BOUNDS[index] as number)) index += 1;
    this.latency.counts[index] = (this.latency.counts[index] as number) + 1;
    this.latency.sum += seconds;
    const connection = res.req.socket as Connection;
    if (connection[RESPONSE] === res) connection[RESPONSE] = undefined;
    this.requests += 1;
    this.inFlight -= 1;
  }

  /** Marks the last response of each connection as the one to close it, if its headers are not sent yet. */
  closeConnections(): void {
    for (const { [RESPONSE]: res } of this.#connections) if (res && !res.headersSent) res.shouldKeepAlive = false;
  }
}
