import cluster from 'node:cluster';
import type http from 'node:http';
import type { Socket } from 'node:net';
import { ClutchError, toError } from '../../errors.js';
import { describeForScreen } from '../../ipc/error_data.js';
import { CONTROL, type Envelope, isControl } from '../../ipc/message.js';
import { Masker } from '../../output/secrets.js';
import type { Booted, ChildApplication } from '../child/boot_child.js';
import type { MasterLink } from '../child/master_link.js';
import type { RequestRecorder } from '../measure/request_recorder.js';
import { type Route, RouteHistograms } from '../measure/route_histograms.js';
import type { ListenerOptions } from '../options/listeners.js';
import type { HttpsOptions } from '../options/option_kinds.js';
import type { ChildOptions } from '../options/options.js';
import type { ListenAddress } from '../protocol/listen_address.js';
import type { StickyConnection } from '../protocol/protocol.js';
import { Connections } from './connections.js';
import { drain } from './drain.js';
import { createServer, listen, listenAddress, listenerAddress, reloadTls, tlsFiles, tlsOf } from './listen.js';
import { reportLoad } from './load_report.js';
import { closeIfSilent, watchRedispatched } from './redispatched.js';
import { RequestMeter } from './request_meter.js';
import { watchRequests } from './request_timeout.js';
import { RequestTraces } from './request_traces.js';

const { createServer: createDebugServer } = process.getBuiltinModule('node:http');

export interface WorkerApplication extends ChildApplication {
  callback(): http.RequestListener;
  /** Of a framework that is Clutch's. */
  serverOptions?: http.ServerOptions;
  routeOf?(res: object): Route | undefined;
  loader?: { masker?: Masker };
  routeFor?(method: string, path: string): string | undefined;
}

type WorkerState = 'booting' | 'ready' | 'draining';

/** Milliseconds from the loss of the Master until the process ends. */
const MASTER_GONE_LIMIT = 1200;

const connections = new Connections();
export const meter: RequestMeter = new RequestMeter(connections);

/** Serves HTTP with an application that is ready, until the process is asked to end or an exception ends it. */
export async function serve(booted: Booted<WorkerApplication>): Promise<void> {
  const { app, link, end, fail } = booted;
  const { options, closeTimeout } = booted.boot;
  let state: WorkerState = 'booting';
  let isStopping = false;
  const traces = new RequestTraces((method, path) => app.routeFor?.(method, path));
  link.onMessage((message) => {
    if (!isControl(message)) return;
    if (message.clutch === CONTROL.stopping) isStopping = true;
    else if (message.clutch === CONTROL.suspects) traces.watch(message.data as string[]);
  });
  meter.routes = new RouteHistograms(options.baseDir);
  meter.routeOf = (res) => app.routeOf?.(res);
  recordSlowRequests(app, link, options.baseDir);
  const listener = requestListener(app, traces, () => state === 'ready' && !isStopping);
  const settings = app.serverOptions ?? {};
  const serverFor = (https: ChildOptions['https'], http2?: boolean): http.Server => {
    const tls = tlsOf(app.config, { https });
    const created = createServer(tls, settings, listener, { http2 });
    if (tls) renewCertificates(created, tls, settings, link);
    return created;
  };
  const [first, ...others] = options.listen ?? [];
  const server = first ? serverFor(httpsOf(first, options), first.http2) : serverFor(options.https);
  // A server that never listens would not time out slow clients: Node's checks begin with this event.
  if (options.sticky) server.emit('listening');
  const servers = [server];
  connections.watch(server);
  app.on('live', (carrier: Parameters<RequestMeter['beginLive']>[0]) => meter.beginLive(carrier));
  watchRedispatched(server);
  app.emit('server', server);

  const leave = async (code: number, limit: number, mayTakeLonger = true): Promise<void> => {
    if (state === 'draining') return;
    state = 'draining';
    connections.closeAfterResponse();
    // Web sockets and streams of events are asked to reconnect elsewhere.
    app.emit('draining');
    const begin = Date.now();
    // A fifth of the time is kept for the close hooks.
    const cut = await drain(servers, connections, {
      timeout: limit * 0.8,
      longest: mayTakeLonger ? options.drainTimeout : 0,
      onProgress: () => link.send({ clutch: CONTROL.progress }),
    });
    if (cut > 0) link.send({ clutch: CONTROL.cut, data: cut });
    await end(code, Math.max(limit - (Date.now() - begin), limit * 0.2));
  };
  link.onClose(() => void leave(0, closeTimeout));
  link.onGone(() => {
    if (cluster.worker) cluster.worker.exitedAfterDisconnect = true;
    void leave(0, MASTER_GONE_LIMIT, false);
  });
  process.on('uncaughtException', (error: Error & { code?: string }) => {
    app.coreLogger.error(error);
    const ignored = app.config['serverGracefulIgnoreCode'] as string[] | undefined;
    if (state === 'booting') return void fail(error);
    if (state === 'draining' || (error.code && ignored?.includes(error.code))) return;
    link.send({ clutch: CONTROL.leaving, data: describeForScreen(error) });
    void leave(1, closeTimeout);
  });

  const open = async (each: http.Server, wanted: ListenAddress): Promise<ListenAddress> => {
    if (wanted.port === undefined) await preparedByMaster(wanted.address, link);
    return listen(each, wanted, {
      reusePort: options.scheduling === 'reusePort',
      fd: booted.inherited?.(wanted),
    });
  };
  let address = first ? listenerAddress(first) : listenAddress(app.config, options, server);
  if (options.sticky) takeConnections(server, link, () => state !== 'draining');
  else address = await open(server, address);
  for (const each of others) {
    const other = serverFor(httpsOf(each, options), each.http2);
    servers.push(other);
    connections.watch(other);
    watchRedispatched(other);
    await open(other, listenerAddress(each));
  }
  if (options.debugPort !== undefined) {
    const debug = createDebugServer(settings, listener);
    servers.push(debug);
    connections.watch(debug);
    watchRedispatched(debug);
    await listen(debug, { address: '', port: options.debugPort, protocol: 'http' });
  }
  if (options.scheduling === 'least' && !options.sticky) {
    reportLoad(servers, meter, (load) => link.send({ clutch: CONTROL.load, data: load }));
  }
  if (options.requestTimeout > 0) {
    watchRequests({
      meter,
      timeout: options.requestTimeout,
      routeOf: (res) => app.routeOf?.(res)?.path,
      stackOf: (res) => traces.stackOf(res),
      report: (overdue) => link.send({ clutch: CONTROL.overdue, data: overdue }),
    });
  }
  for (const each of servers) each.on('error', (error) => void fail(error));
  state = 'ready';
  link.send({ clutch: CONTROL.ready, data: address });
}

/** An entry of the option `listen` has TLS of its own, that of the app, or none. */
function httpsOf({ https }: ListenerOptions, options: ChildOptions): ChildOptions['https'] {
  return https === true ? options.https || undefined : (https ?? false);
}

function requestListener(app: WorkerApplication, traces: RequestTraces, isReady: () => boolean): http.RequestListener {
  const callback = app.callback();
  const health = app.config['health'] as { path?: string } | false | undefined;
  const readyPath = health ? health.path : undefined;
  return (req, res) => {
    if (readyPath !== undefined && req.url === readyPath) {
      res.writeHead(isReady() ? 200 : 503, { 'content-type': 'text/plain', 'cache-control': 'no-store' });
      res.end(isReady() ? 'ready' : 'not ready');
      return;
    }
    meter.begin(res);
    if (traces.isArmed) traces.handle(req, res, callback);
    else callback(req, res);
  };
}

/** The Master says when somebody looks; what records is loaded then. */
function recordSlowRequests(app: WorkerApplication, link: MasterLink, baseDir: string): void {
  let recorder: Promise<RequestRecorder> | undefined;
  const load = async (): Promise<RequestRecorder> => {
    const { RequestRecorder } = await import('../measure/request_recorder.js');
    return new RequestRecorder({
      meter,
      baseDir,
      masker: app.loader?.masker ?? new Masker(),
      routeOf: (res) => meter.routeOf(res),
      routeFor: (method, path) => app.routeFor?.(method, path),
      isFast: (method, route) => meter.routes?.isFast(method, route) ?? false,
      report: (requests) => link.send({ clutch: CONTROL.slowRequests, data: requests }),
    });
  };
  link.onMessage((message) => {
    if (!isControl(message) || message.clutch !== CONTROL.watch) return;
    recorder ??= load();
    void recorder.then((loaded) => loaded.watch(message.data === true));
  });
}

/** The Master watches the files, and says when they have changed. */
function renewCertificates(
  server: http.Server,
  tls: HttpsOptions,
  settings: http.ServerOptions,
  link: MasterLink,
): void {
  const files = tlsFiles(tls);
  if (files.length === 0) return;
  link.send({ clutch: CONTROL.tlsFiles, data: files });
  link.onMessage((message) => {
    if (!isControl(message) || message.clutch !== CONTROL.reloadTls) return;
    let error: string | undefined;
    try {
      reloadTls(server, tls, settings);
    } catch (cause) {
      error = toError(cause).message;
    }
    link.send({ clutch: CONTROL.tlsReloaded, data: error });
  });
}

/** Sticky mode: the Master accepts, and each connection comes with a message. */
function takeConnections(server: http.Server, link: MasterLink, accepts: () => boolean): void {
  link.onMessage((message, handle) => {
    if (!isControl(message) || message.clutch !== CONTROL.connection) return;
    const { sequence, redispatched } = message.data as StickyConnection;
    const socket = handle as Socket | undefined;
    if (!accepts()) {
      // The Master has it still open and dispatches it again.
      socket?.destroy();
      link.send({ clutch: CONTROL.connectionRefused, data: sequence });
      return;
    }
    link.send({ clutch: CONTROL.connectionTaken, data: sequence });
    if (!socket) return;
    if (redispatched) closeIfSilent(socket);
    server.emit('connection', socket);
    socket.resume();
  });
}

/** One process must remove what a killed one has left: workers would remove each other's socket. */
function preparedByMaster(file: string, link: MasterLink): Promise<void> {
  return new Promise((resolve, reject) => {
    const listener = (message: Envelope): void => {
      if (!isControl(message) || message.clutch !== CONTROL.prepareSocket) return;
      const { data } = message;
      link.offMessage(listener);
      if (typeof data === 'string')
        reject(new ClutchError('ERR_CLUTCH_BOOT', data, { where: 'config.cluster.listen.path' }));
      else resolve();
    };
    link.onMessage(listener);
    link.send({ clutch: CONTROL.prepareSocket, data: file });
  });
}
