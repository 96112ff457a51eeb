import type { IncomingMessage, ServerResponse } from 'node:http';
import { toError } from '../../../errors.js';
import { maskText } from '../../../output/secrets.js';
import type { AdminListener } from '../../options/admin_options.js';
import type { PageSource } from '../page_source.js';
import type { SharedViewData } from '../view_data.js';
import { isAction, runAction } from './actions.js';
import { Assets } from './assets.js';
import { Credentials } from './credentials.js';
import { EventStreams } from './event_streams.js';
import { refuseForeign } from './guard.js';
import { logIn, showLogin } from './login.js';
import { addressOf, HttpError, readBody, sendJson, setSecurityHeaders } from './respond.js';

const STATIC = /^\/(?:assets\/.*)?$/;

/** The admin page: its files, its data, its actions. Loaded when somebody asks for it. */
export class Page {
  readonly #options: AdminListener;
  readonly #source: PageSource;
  readonly #assets = new Assets();
  readonly #credentials: Credentials;
  readonly #views: SharedViewData;
  readonly #streams: EventStreams;

  constructor(options: AdminListener, source: PageSource, views: SharedViewData) {
    this.#options = options;
    this.#source = source;
    this.#credentials = new Credentials(options.token);
    this.#views = views;
    this.#streams = new EventStreams(views, (message) => source.log.error(message));
  }

  async handle(req: IncomingMessage, res: ServerResponse): Promise<void> {
    setSecurityHeaders(res);
    try {
      await this.#respond(req, res);
    } catch (error) {
      const status = error instanceof HttpError ? error.status : 500;
      if (res.headersSent) res.destroy();
      else {
        // Of a body that is not read to its end, the rest would be taken for the next request.
        if (!req.complete) res.setHeader('connection', 'close');
        sendJson(req, res, status, { error: maskText(toError(error).message) });
      }
    }
  }

  async #respond(req: IncomingMessage, res: ServerResponse): Promise<void> {
    const { pathname, searchParams } = new URL(`http://page${req.url?.startsWith('/') ? req.url : '/-'}`);
    const isStatic = STATIC.test(pathname);
    const refusal = refuseForeign(req, { allowedHosts: this.#options.allowedHosts, isStatic });
    if (refusal) throw new HttpError(refusal.status, refusal.error);
    if (pathname === '/login' && req.method === 'POST') return logIn(req, res, this.#credentials);
    if (!this.#credentials.isAllowed(req)) {
      if (isStatic) return showLogin(req, res);
      if (this.#credentials.isBlocked(req)) throw new HttpError(429, 'too many wrong tokens; wait a minute');
      res.setHeader('www-authenticate', 'Bearer');
      throw new HttpError(401, 'the token of the admin page is needed, as a bearer token in the header Authorization');
    }
    const [, kind, name = ''] = /^\/api\/(views|actions)\/(\w+)$/.exec(pathname) ?? [];
    if (kind === 'actions') return this.#act(name, req, res);
    if (req.method !== 'GET' && req.method !== 'HEAD') throw methodError(res, 'GET, HEAD');
    if (isStatic && this.#assets.serve(pathname, req, res)) return;
    if (kind === 'views') {
      const data = await this.#views.use();
      if (data.has(name)) return sendJson(req, res, 200, await data.read(name));
    }
    if (pathname === '/api/events') return this.#stream(searchParams.get('views'), req, res);
    throw new HttpError(404, 'not found');
  }

  async #stream(names: string | null, req: IncomingMessage, res: ServerResponse): Promise<void> {
    const data = await this.#views.use();
    const views = (names ?? 'now').split(',');
    const known = views.filter((name) => data.has(name));
    if (known.length < views.length) {
      throw new HttpError(400, `name views in ?views=, of ${data.names.join(', ')}`);
    }
    if (req.method === 'HEAD') res.writeHead(200, { 'content-type': 'text/event-stream' }).end();
    else this.#streams.open(known, data, res);
  }

  async #act(name: string, req: IncomingMessage, res: ServerResponse): Promise<void> {
    if (req.method !== 'POST') throw methodError(res, 'POST');
    if (!isAction(name)) throw new HttpError(404, `there is no action ${name}`);
    if (this.#options.readOnly) throw new HttpError(403, 'the page is read-only (option admin.readOnly)');
    const body = await readBody(req, 'application/json');
    const value = await runAction(name, body, this.#source, `the page at ${addressOf(req.socket)}`);
    sendJson(req, res, 200, { value });
  }

  close(): void {
    this.#streams.close();
  }
}

function methodError(res: ServerResponse, allow: string): HttpError {
  res.setHeader('allow', allow);
  return new HttpError(405, `use ${allow}`);
}
