// Whole apps, each under Egg 3 and under Clutch, with the same requests in the same order. `node scripts/egg_packages.mjs`
// installs Egg.
import assert from 'node:assert/strict';
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, existsSync, mkdirSync, readFileSync, symlinkSync } from 'node:fs';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import { fixture, ROOT, temporaryDirectory } from '../support/apps.js';

const INSTALLED = path.join(ROOT, 'test/fixtures/egg-3/node_modules');
const RUNNER = path.join(ROOT, '.test/test/support/egg_app.js');
const skip = existsSync(path.join(INSTALLED, 'egg')) ? false : 'node scripts/egg_packages.mjs has not been run';

interface Exchange {
  status: string;
  /** As they were sent, without the order. */
  headers: string[];
  body: string;
}

interface Step {
  method?: string;
  path: string;
  headers?: Record<string, string>;
  body?: string | Buffer;
  /** Sends the token of the cookie `csrfToken`. */
  csrf?: boolean;
  /** Sent again until the body matches: for what happens soon after the start. */
  until?: RegExp;
  /** Why responses differ. */
  rows?: Row[];
}

/** Headers that differ from one request to the next under Egg itself. */
const MASKED: [header: string, why: string][] = [
  ['date', 'the time'],
  ['x-readtime', 'milliseconds that the response took'],
];

/** Cookies whose values differ from one request to the next under Egg itself; attributes are compared. */
const MASKED_COOKIES: [name: string, why: string][] = [
  ['csrfToken', 'random'],
  ['UPLOADS', 'an encrypted session, with the time in it'],
  ['UPLOADS.sig', 'signs it'],
  ['hidden', 'encrypted'],
  ['hidden.sig', 'signs it'],
];

/** In a body: random, and salted anew by each response. Its length is that of the secret, so `content-length` is left out beside it. */
const CSRF_TOKEN = /("csrf":"|name="_csrf" value=")[\w-]+/g;

/** @param name its case differs, and means nothing */
function maskHeader(name: string, value: string): string {
  if (MASKED.some(([header]) => header === name)) return `${name}: …`;
  if (name !== 'set-cookie') return `${name}: ${value}`;
  const [cookie = '', ...attributes] = value.split('; ');
  const key = cookie.slice(0, cookie.indexOf('='));
  const shown = MASKED_COOKIES.some(([masked]) => masked === key) && cookie !== `${key}=` ? `${key}=…` : cookie;
  // `expires` is the time of the response plus maxAge; a removed cookie has a fixed one.
  const times = attributes.map((each) => (/^expires=(?!Thu, 01 Jan 1970)/.test(each) ? 'expires=…' : each));
  return `${name}: ${[shown, ...times].join('; ')}`;
}

/** One client with a cookie jar. */
class Client {
  readonly #url: string;
  readonly #cookies = new Map<string, string>();

  constructor(url: string) {
    this.#url = url;
  }

  async run(step: Step): Promise<Exchange> {
    const deadline = Date.now() + 10_000;
    for (;;) {
      const exchange = await this.#send(step);
      if (!step.until || step.until.test(exchange.body) || Date.now() > deadline) return exchange;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }

  async #send({ method = 'GET', path: where, headers = {}, body, csrf }: Step): Promise<Exchange> {
    const sent: Record<string, string> = { host: 'app.example', ...headers };
    if (this.#cookies.size > 0) sent['cookie'] = [...this.#cookies].map((pair) => pair.join('=')).join('; ');
    if (csrf) sent['x-csrf-token'] = this.#cookies.get('csrfToken') ?? '';
    const request = http.request(this.#url, { path: where, method, headers: sent, agent: false }).end(body);
    const [response] = (await once(request, 'response')) as [http.IncomingMessage];
    let text = '';
    for await (const chunk of response.setEncoding('utf8')) text += chunk;
    for (const cookie of response.headers['set-cookie'] ?? []) {
      const [pair = ''] = cookie.split(';');
      const [name = '', value = ''] = [pair.slice(0, pair.indexOf('=')), pair.slice(pair.indexOf('=') + 1)];
      if (value === '') this.#cookies.delete(name);
      else this.#cookies.set(name, value);
    }
    const { rawHeaders } = response;
    const lines = rawHeaders.flatMap((name, index) =>
      index % 2 === 0 ? [maskHeader(name.toLowerCase(), rawHeaders[index + 1] as string)] : [],
    );
    const masked = text.replace(CSRF_TOKEN, '$1…');
    return {
      status: `${method} ${where} ${response.statusCode} ${response.statusMessage}`,
      headers: lines.filter((line) => masked === text || !line.startsWith('content-length')).sort(),
      body: masked,
    };
  }
}

/** Runs the steps against a copy of an app whose `egg` is the given directory. */
async function responses(t: TestContext, name: string, egg: string, steps: Step[], env: NodeJS.ProcessEnv) {
  const baseDir = path.join(temporaryDirectory(t), name);
  cpSync(fixture(name), baseDir, { recursive: true, preserveTimestamps: true });
  const modules = path.join(baseDir, 'node_modules');
  mkdirSync(modules);
  symlinkSync(egg, path.join(modules, 'egg'), 'dir');
  symlinkSync(path.join(INSTALLED, 'egg-view-nunjucks'), path.join(modules, 'egg-view-nunjucks'), 'dir');
  const framework = path.join(baseDir, 'house');
  if (existsSync(framework)) cpSync(framework, path.join(modules, 'house'), { recursive: true });
  const home = temporaryDirectory(t);
  const child = fork(RUNNER, [baseDir], {
    env: { ...process.env, HOME: home, EGG_HOME: home, NODE_ENV: 'production', NODE_TEST_CONTEXT: undefined, ...env },
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream?.on('data', (chunk) => (output += chunk));
  const exited = once(child, 'exit');
  t.after(async () => {
    child.kill('SIGKILL');
    await exited;
  });
  const started = await Promise.race([once(child, 'message'), exited.then(() => undefined)]);
  assert.ok(started, output);
  const client = new Client(`http://127.0.0.1:${started[0]}`);
  const exchanges: Exchange[] = [];
  for (const step of steps) exchanges.push(await client.run(step));
  return exchanges;
}

/** Rows of docs/differences.md, with the lines that may differ for them in the responses that a test names. */
const ROWS = {
  'security headers':
    /^x-(?:content-type-options: nosniff|download-options: noopen|frame-options: SAMEORIGIN|xss-protection: 1; mode=block)$/,
  '`code` of an error, in production':
    /^content-length: |^body: {(?:"code":"ECONNRESET",)?"message":"Internal Server Error"}$/,
  'a field of multipart beyond `fieldNameSize`': /^content-length: |^x-readtime: |^body: |^POST \/api\/uploads /,
  'static: `etag`': /^etag: |^content-md5: /,
  'static: `accept-ranges`': /^accept-ranges: bytes$/,
} as const;
type Row = keyof typeof ROWS;

/** @returns the rows for responses of that status: redirects and errors have the security headers, too */
function rowsOf({ status }: Exchange): Row[] {
  return / [345]\d\d /.test(status) ? ['security headers'] : [];
}

/** @returns the lines that only one of two responses has, behind the request */
function differences(egg: Exchange, clutch: Exchange, rows: readonly Row[]): string[] {
  const [a, b] = [egg, clutch].map(({ status, headers, body }) => [status, ...headers, `body: ${body}`]);
  const lines = (mine: string[] = [], others: string[] = []): string[] =>
    mine.filter((line) => !others.includes(line) && !rows.some((row) => ROWS[row].test(line)));
  const only = [...lines(a, b).map((line) => `  egg    ${line}`), ...lines(b, a).map((line) => `  clutch ${line}`)];
  return only.length === 0 ? [] : [egg.status, ...only];
}

/** Compares both, request by request. */
async function compare(t: TestContext, name: string, steps: Step[], env: NodeJS.ProcessEnv = {}): Promise<void> {
  const expected = await responses(t, name, path.join(INSTALLED, 'egg'), steps, env);
  const actual = await responses(t, name, ROOT, steps, env);
  const table = readFileSync(path.join(ROOT, 'docs/differences.md'), 'utf8');
  for (const row of Object.keys(ROWS)) assert.ok(table.includes(`\n| ${row}`), row);
  const differing = expected.flatMap((egg, index) =>
    differences(egg, actual[index] as Exchange, [...rowsOf(egg), ...(steps[index]?.rows ?? [])]),
  );
  assert.equal(differing.join('\n'), '');
}

const JSON_BODY = { 'content-type': 'application/json', accept: 'application/json' };
const json = (where: string, value: unknown, rest: Partial<Step> = {}): Step => ({
  ...rest,
  method: rest.method ?? 'POST',
  path: where,
  headers: { ...JSON_BODY, ...rest.headers },
  body: JSON.stringify(value),
});

/** A multipart request; a part is a header and a text. */
function multipart(where: string, parts: [head: string, text: string][], rest: Partial<Step> = {}): Step {
  const body = parts.map(([head, text]) => `--b\r\nContent-Disposition: form-data; ${head}\r\n\r\n${text}\r\n`);
  return {
    method: 'POST',
    path: where,
    headers: { 'content-type': 'multipart/form-data; boundary=b', accept: 'application/json' },
    body: `${body.join('')}--b--\r\n`,
    ...rest,
  };
}

const STORIES = [1, 2, 3].map((id) => ({
  id,
  title: `Story <${id}>`,
  url: `https://example${id}.org/a?b=1`,
  score: id,
  html: `<b onclick="x()">${id}</b><script>x()</script>`,
}));

/** What the reader reads from. */
async function startNews(t: TestContext): Promise<string> {
  const server = http.createServer((req, res) => {
    const [, kind, id] = (req.url ?? '').split('/');
    const found = kind === 'top' ? STORIES.map((story) => story.id) : STORIES.find((story) => String(story.id) === id);
    const value = kind === 'user' ? { id, karma: 7 } : found;
    res.writeHead(value ? 200 : 404, { 'content-type': 'application/json' });
    if (id === 'broken') res.destroy();
    else res.end(JSON.stringify(value ?? null));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => server.close());
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

test('a news reader (views, upstream requests, helpers, filters) responds as under Egg 3', { skip }, async (t) => {
  const steps: Step[] = [
    { path: '/' },
    { path: '/news' },
    { path: '/news?page=2' },
    { path: '/news?page=9' },
    { path: '/news', method: 'HEAD' },
    { path: '/news/item/1' },
    { path: '/news/item/9' },
    { path: '/news/item/9', headers: { accept: 'application/json' } },
    { path: '/news/user/ada' },
    { path: '/news/user/broken', headers: { accept: 'application/json' }, rows: ['`code` of an error, in production'] },
    { path: '/news/user/broken' },
    { path: '/nowhere' },
    { path: '/nowhere', headers: { accept: 'application/json' } },
    { path: '/news', method: 'OPTIONS' },
    { path: '/news', method: 'PUT', csrf: true },
  ];
  await compare(t, 'egg-reader', steps, { NEWS_URL: await startNews(t) });
});

test('logins, cookies and uploads (session, security, multipart) respond as under Egg 3', { skip }, async (t) => {
  const file = 'name="file"; filename="a.png"\r\nContent-Type: image/png';
  await compare(t, 'egg-uploads', [
    { path: '/' },
    { path: '/' },
    json('/login', { name: 'ada' }),
    json('/login', {}, { csrf: true }),
    json('/login', { name: 'ada' }, { csrf: true }),
    { path: '/' },
    json('/remember', { color: 'red' }, { csrf: true }),
    { path: '/remembered' },
    { path: '/upload', method: 'POST', csrf: true },
    multipart(
      '/upload',
      [
        ['name="title"', 'mine'],
        [file, 'hello'],
      ],
      { csrf: true },
    ),
    multipart('/upload', [['name="title"', 'mine']], { csrf: true }),
    multipart('/api/uploads', [
      ['name="a"', '1'],
      [file, 'x'],
      [file.replace('png', 'foo'), 'y'],
      ['name="b"', 'ü'],
    ]),
    multipart('/api/uploads', [[file.replace('.png', '.exe'), 'x']]),
    multipart('/api/uploads', [[file, 'x'.repeat(2000)]], { rows: ['a field of multipart beyond `fieldNameSize`'] }),
    json('/api/echo', { a: [1, { b: null }] }),
    { path: '/api/echo', method: 'POST', headers: JSON_BODY, body: '{ not json' },
    { path: '/api/echo', method: 'POST', headers: JSON_BODY, body: '1' },
    { path: '/api/echo', method: 'POST', headers: JSON_BODY, body: '' },
    json('/api/echo', { a: 'x'.repeat(2000) }),
    {
      path: '/api/echo',
      method: 'POST',
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      body: 'a=1&a=2&b[c]=3&d=%E4%BD%A0',
    },
    { path: '/api/echo', method: 'POST', headers: { 'content-type': 'text/plain' }, body: 'text' },
    { path: '/api/fail' },
    { path: '/api/fail', headers: { accept: 'application/json' } },
    { path: '/api/taken' },
    { path: '/api/taken', headers: { accept: 'application/json' } },
    { path: '/logout', method: 'POST', csrf: true },
    { path: '/' },
  ]);
});

test('a shop on a framework of its own (static files, schedule, jsonp, i18n) responds as under Egg 3', {
  skip,
}, async (t) => {
  await compare(t, 'egg-shop', [
    { path: '/restocked', until: /EUR/ },
    { path: '/steps' },
    { path: '/items' },
    { path: '/items/1' },
    { path: '/items/9' },
    json('/items', { name: 'nest', price: 1000 }),
    { path: '/items/2' },
    { path: '/items/2', method: 'DELETE' },
    { path: '/items/1', method: 'POST', headers: { 'x-http-method-override': 'DELETE' } },
    { path: '/items' },
    { path: '/price?cents=1234' },
    { path: '/price?cents=1234&cb=show' },
    { path: '/price?cents=1234&cb=sh ow<'.replace(' ', '%20') },
    { path: '/hello' },
    { path: '/hello?locale=de-DE' },
    { path: '/hello', headers: { 'accept-language': 'de-DE,de;q=0.9' } },
    { path: '/files/a/b.txt' },
    { path: '/old' },
    { path: '/queries?a=1&a=2&b=3' },
    { path: '/assets/shop.css', rows: ['static: `etag`'] },
    { path: '/assets/shop.css', headers: { 'accept-encoding': 'gzip' }, rows: ['static: `etag`'] },
    { path: '/assets/shop.css', method: 'HEAD', rows: ['static: `etag`'] },
    { path: '/assets/sub/page.html', rows: ['static: `etag`'] },
    { path: '/assets/shop.css', headers: { range: 'bytes=0-3' }, rows: ['static: `etag`'] },
    { path: '/assets/nothing.css', rows: ['static: `accept-ranges`'] },
    { path: '/assets/../package.json', rows: ['static: `accept-ranges`'] },
    { path: '/robots.txt' },
    { path: '/nowhere' },
    { path: '/nowhere', headers: { accept: 'application/json' } },
  ]);
});
