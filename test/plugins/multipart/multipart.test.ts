import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readdirSync, readFileSync, utimesSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import net from 'node:net';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import { temporaryDirectory, until } from '../../support/apps.js';
import type { HttpResponse } from '../../support/http.js';
import { type Files, loadAgent, loadApp } from '../../support/loaded_app.js';
import { BOUNDARY, CONTENT_TYPE, type FormPart, formBody } from './forms.js';

const ROUTER = `
  module.exports = (app) => {
    app.post('/parts', async (ctx) => {
      ctx.body = [];
      for await (const part of ctx.multipart(ctx.query.options ? JSON.parse(ctx.query.options) : {})) {
        if (Array.isArray(part)) { ctx.body.push(part); continue; }
        let size = 0;
        for await (const chunk of part) size += chunk.length;
        ctx.body.push({ field: part.fieldname, filename: part.filename, mime: part.mime, size });
      }
    });
    app.post('/function', async (ctx) => {
      const parts = ctx.multipart({ autoFields: true });
      const files = [];
      for (let part = await parts(); part !== undefined; part = await parts()) {
        files.push(part.filename ?? null);
        part.resume();
      }
      ctx.body = { files, field: parts.field };
    });
    app.post('/first', async (ctx) => {
      const stream = await ctx.getFileStream({ requireFile: ctx.query.require !== 'no' });
      let text = '';
      for await (const chunk of stream) text += chunk;
      ctx.body = { filename: stream.filename ?? null, fields: stream.fields, text };
    });
    app.post('/ignored', async (ctx) => { ctx.multipart(); ctx.body = 'not read'; });
    app.post('/twice', async (ctx) => { ctx.multipart(); ctx.multipart(); });
    app.post('/files', async (ctx) => {
      if (!ctx.request.files) await ctx.saveRequestFiles();
      const { readFileSync } = require('fs');
      ctx.body = {
        body: ctx.request.body,
        files: ctx.request.files.map((file) => ({ ...file, text: readFileSync(file.filepath, 'utf8') })),
      };
    });
    app.get('/', (ctx) => { ctx.body = 'home'; });
  };`;

interface Server {
  url: string;
  port: number;
  tmpdir: string;
  /** Posts a form. */
  post(where: string, parts: FormPart[] | Buffer, headers?: Record<string, string>): Promise<HttpResponse>;
  /** Temporary files that are there. */
  left(): string[];
}

async function startServer(t: TestContext, multipart = '{}', files: Files = {}): Promise<Server> {
  const tmpdir = path.join(temporaryDirectory(t), 'uploads');
  const app = loadApp(t, {
    'app/router.js': ROUTER,
    'config/config.default.js': `
      exports.keys = 'k';
      exports.security = { csrf: false };
      exports.multipart = { tmpdir: ${JSON.stringify(tmpdir)}, ...${multipart} };`,
    ...files,
  });
  await app.ready();
  const server = app.listen(0);
  t.after(() => {
    server.close();
    server.closeAllConnections();
  });
  const { port } = server.address() as AddressInfo;
  const url = `http://127.0.0.1:${port}`;
  const post: Server['post'] = (where, parts, headers = {}) =>
    new Promise((resolve, reject) => {
      const body = Buffer.isBuffer(parts) ? parts : formBody(parts);
      const outgoing = http.request(url + where, {
        method: 'POST',
        agent: false,
        headers: { 'content-type': CONTENT_TYPE, ...headers },
      });
      outgoing.on('error', reject);
      outgoing.on('response', (response) => {
        let text = '';
        response.on('data', (chunk) => (text += chunk));
        response.on('end', () =>
          resolve({
            status: response.statusCode as number,
            message: response.statusMessage as string,
            headers: response.headers,
            body: text,
          }),
        );
      });
      outgoing.end(body);
    });
  return { url, port, tmpdir, post, left: () => filesBelow(tmpdir) };
}

function filesBelow(dir: string): string[] {
  if (!existsSync(dir)) return [];
  return readdirSync(dir, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile())
    .map(({ name }) => name);
}

const json = async (reply: Promise<HttpResponse>): Promise<unknown> => JSON.parse((await reply).body);

test('stream mode: for await gives fields and files in order, and skips a file that was not chosen', async (t) => {
  const { post } = await startServer(t);
  const parts = [
    { name: 'title', value: 'Grüße' },
    { name: 'empty', value: '', filename: '' },
    { name: 'doc', value: 'x'.repeat(100_000), filename: '../../a b.TXT.html', type: 'text/html' },
    { name: 'title', value: 'again' },
  ];
  assert.deepEqual(await json(post('/parts', parts)), [
    ['title', 'Grüße', false, false],
    { field: 'doc', filename: 'a b.TXT.html', mime: 'text/html', size: 100_000 },
    ['title', 'again', false, false],
  ]);
});

test('stream mode: parts() in the style of Egg, with autoFields', async (t) => {
  const { post } = await startServer(t);
  const parts = [
    { name: 'a', value: '1' },
    { name: 'f', value: 'x', filename: 'a.js' },
    { name: 'g', value: '', filename: '' },
    { name: '__proto__', value: 'bad' },
    { name: 'toString', value: 'bad' },
    { name: 'b[c]', value: '2' },
  ];
  assert.deepEqual(await json(post('/function', parts)), { files: ['a.js', ''], field: { a: '1', 'b[c]': '2' } });
});

test('getFileStream gives the first file with the fields before it', async (t) => {
  const { post } = await startServer(t);
  const file = { name: 'f', value: 'text', filename: 'a.json' };
  const before = { name: 'a', value: '1' };
  const expected = { filename: 'a.json', fields: { a: '1' }, text: 'text' };
  assert.deepEqual(await json(post('/first', [before, file, file])), expected);
  const none = await post('/first', [before]);
  assert.equal(none.status, 400);
  assert.match(none.body, /found upload file/);
  assert.deepEqual(await json(post('/first?require=no', [before])), { filename: null, fields: { a: '1' }, text: '' });
});

test('limits are 413 with the codes of Egg, per config and per call', async (t) => {
  const { post } = await startServer(t, "{ fileSize: '1kb', fieldSize: 100, fields: 2, files: 2, fieldNameSize: 10 }");
  const file = (size: number) => ({ name: 'f', value: 'x'.repeat(size), filename: 'a.js' });
  const field = (name: string, value = 'v') => ({ name, value });
  const cases: [FormPart[], string][] = [
    [[file(1025)], 'fileSize'],
    [[field('a', 'x'.repeat(101))], 'fieldSize'],
    [[field('a'), field('b'), field('c')], 'fields'],
    [[file(1), file(1), file(1)], 'files'],
    [[field('a'.repeat(11))], 'fieldNameSize'],
  ];
  for (const [parts, limit] of cases) {
    for (const where of ['/parts', '/files']) {
      const reply = await post(where, parts, { accept: 'application/json' });
      assert.equal(reply.status, 413, `${limit} ${where}: ${reply.body}`);
      assert.match(reply.body, new RegExp(`"code":"Request_${limit}_limit","message":"Reach ${limit} limit"`));
    }
  }
  assert.equal((await post('/parts', [file(1024), field('a', 'x'.repeat(100))])).status, 200);
  const options = encodeURIComponent(JSON.stringify({ limits: { fileSize: '2kb' } }));
  assert.equal((await post(`/parts?options=${options}`, [file(2000)])).status, 200);
});

test('file names: only allowed extensions, by list or function', async (t) => {
  const send = async (server: Server, filename: string) =>
    (await server.post('/parts', [{ name: 'f', value: 'x', filename }])).status;
  const usual = await startServer(t, "{ fileExtensions: ['foo', '.Bar'] }");
  for (const [name, status] of [
    ['a.png', 200],
    ['a.PNG', 200],
    ['a.foo', 200],
    ['a.bar', 200],
    ['a.exe', 400],
    ['png', 400],
    ['a.png.sh', 400],
  ] as const) {
    assert.equal(await send(usual, name), status, name);
  }
  const listed = await startServer(t, "{ whitelist: ['.exe', ''] }");
  assert.deepEqual(
    [await send(listed, 'a.exe'), await send(listed, 'none'), await send(listed, 'a.png')],
    [200, 200, 400],
  );
  const decided = await startServer(t, "{ whitelist: (filename) => filename === 'me' }");
  assert.deepEqual([await send(decided, 'me'), await send(decided, 'a.png')], [200, 400]);
  const reply = await usual.post('/parts', [{ name: 'f', value: 'x', filename: 'a.exe' }], {
    accept: 'application/json',
  });
  assert.match(reply.body, /Invalid filename: a\.exe/);
});

test('file mode: files are saved, fields are the body, and the files go with the response', async (t) => {
  const { post, url, left } = await startServer(t, "{ mode: 'file' }");
  const parts = [
    { name: 'a', value: '1' },
    { name: 'a', value: '2' },
    { name: 'hasOwnProperty', value: 'bad' },
    { name: 'f', value: 'text', filename: 'weird.\u0000../x/..\\y.js' },
    { name: 'g', value: 'more', filename: 'g.png', type: 'image/png' },
  ];
  const { body, files } = (await json(post('/files', parts))) as { body: object; files: Record<string, string>[] };
  assert.deepEqual(body, { a: '2' });
  assert.deepEqual(
    files.map(({ field, text }) => [field, text]),
    [
      ['f', 'text'],
      ['g', 'more'],
    ],
  );
  const { filepath, mime, mimeType, fieldname, encoding } = files[1] as Record<string, string>;
  assert.match(filepath as string, /\/uploads\/\d{4}\/\d\d\/\d\d\/\d\d\/[0-9a-f]{8}-\d+-[0-9a-f-]{36}\.png$/);
  assert.deepEqual([mime, mimeType, fieldname, encoding], ['image/png', 'image/png', 'g', '7bit']);
  await until('they are removed', () => left().length === 0);
  assert.equal(await (await fetch(`${url}/`)).text(), 'home');
});

test('fileModeMatch saves the files of some paths; allowArrayField, autoCleanup', async (t) => {
  const { post, left } = await startServer(
    t,
    '{ fileModeMatch: /^\\/files/, allowArrayField: true, autoCleanup: false }',
  );
  const file = { name: 'f', value: 'text', filename: 'f.js' };
  const parts = [file, { name: 'a', value: '1' }, { name: 'a', value: '2' }, { name: 'a', value: '3' }];
  assert.deepEqual(((await json(post('/files', parts))) as { body: object }).body, { a: ['1', '2', '3'] });
  assert.equal(left().length, 1);
  assert.equal((await post('/parts', [file])).status, 200);
});

test('wrong config stops the boot by name', (t) => {
  const load = (multipart: string) => () =>
    loadApp(t, { 'config/config.default.js': `exports.multipart = ${multipart};` });
  assert.throws(load("{ mode: 'disk' }"), /mode is "disk"\n.*config\.multipart\.mode/);
  assert.throws(load("{ mode: 'file', fileModeMatch: '/x' }"), /`fileModeMatch` options only work on stream mode/);
  assert.throws(load("{ fileSize: 'big' }"), /"big" is not a number of bytes\n.*config\.multipart\.fileSize/);
});

test('what is no form is refused: other types, no boundary, twice', async (t) => {
  const { post } = await startServer(t);
  const statuses = [];
  for (const type of [
    'text/plain',
    'multipart/mixed; boundary=x',
    'multipart/form-data',
    'multipart/form-data; boundary=""',
  ]) {
    statuses.push((await post('/parts', Buffer.from('abc'), { 'content-type': type })).status);
  }
  assert.deepEqual(statuses, [400, 415, 400, 400]);
  assert.equal((await post('/twice', [])).status, 500);
});

test('hostile bodies: whatever is cut off or broken is 200 or 4xx, and leaves no file', async (t) => {
  const { post, left } = await startServer(t, "{ mode: 'file' }");
  const whole = formBody([
    { name: 'a', value: '1' },
    { name: 'f', value: 'x'.repeat(50), filename: 'f.js' },
    { name: '__proto__', value: '2' },
    { name: 'constructor', value: '3', filename: 'c.js' },
  ]);
  const bodies: Buffer[] = [];
  for (let length = 0; length < whole.length; length += 3) bodies.push(whole.subarray(0, length));
  for (let at = 0; at < whole.length; at += 11) {
    const broken = Buffer.from(whole);
    broken[at] = 0;
    bodies.push(broken, Buffer.concat([whole.subarray(0, at), Buffer.from('\r\n\r\n'), whole.subarray(at)]));
  }
  const header = (headers: string) => formBody([{ value: 'x', headers }]);
  bodies.push(
    header(`Content-Disposition: form-data; name="a"\r\n${'X-A: b\r\n'.repeat(5000)}X: y`),
    header(`X: ${'y'.repeat(200_000)}`),
    header('Content-Disposition: attachment; filename="x"'),
    header('Content-Disposition: form-data; filename="x.js"'),
    header('Content-Disposition: form-data'),
    header("Content-Disposition: form-data; name=a; filename*=UTF-8''%ff%fe.js"),
    header('Content-Type: text/plain; charset=nonsense\r\nContent-Disposition: form-data; name=a'),
    Buffer.concat([whole, whole]),
    Buffer.alloc(1_000_000, '-'),
  );
  const counts = new Map<number, number>();
  for (let i = 0; i < bodies.length; i += 20) {
    const replies = await Promise.all(bodies.slice(i, i + 20).map((body) => post('/files', body)));
    for (const { status } of replies) counts.set(status, (counts.get(status) ?? 0) + 1);
  }
  for (const status of counts.keys()) assert.ok(status === 200 || (status >= 400 && status < 500), `${status}`);
  await until('no file is left', () => left().length === 0);
  assert.equal(({} as { polluted?: string }).polluted, undefined);
});

test('a client that leaves in the middle leaves no file', async (t) => {
  const { port, left, post } = await startServer(t, "{ mode: 'file' }");
  const start = formBody([{ name: 'f', value: 'x'.repeat(10_000), filename: 'f.js' }]).subarray(0, 5000);
  for (let i = 0; i < 5; i++) {
    const socket = net.connect(port, '127.0.0.1');
    socket.write(`POST /files HTTP/1.1\r\nHost: x\r\nContent-Type: ${CONTENT_TYPE}\r\nContent-Length: 99999\r\n\r\n`);
    socket.write(start);
    await until('the file is begun', () => left().length === 1);
    socket.destroy();
    await until('the file is removed', () => left().length === 0);
  }
  assert.equal((await post('/files', [{ name: 'f', value: 'x', filename: 'f.js' }])).status, 200);
});

test('a handler that reads nothing holds up neither the connection nor memory', async (t) => {
  const { port } = await startServer(t);
  const socket = net.connect(port, '127.0.0.1');
  t.after(() => socket.destroy());
  let text = '';
  socket.on('data', (chunk) => (text += chunk));
  const body = formBody([{ name: 'f', value: Buffer.alloc(3_000_000), filename: 'f.js' }]);
  socket.write(
    `POST /ignored HTTP/1.1\r\nHost: x\r\nContent-Type: ${CONTENT_TYPE}\r\nContent-Length: ${body.length}\r\n\r\n`,
  );
  socket.write(body);
  socket.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
  await until('both have replies', () => /not read/.test(text) && /home/.test(text));
});

for (const [what, bytes, code] of [
  ['a file', formBody([{ name: 'f', value: '', filename: 'f.js' }]).subarray(0, -20), 'fileSize'],
  ['a field', formBody([{ name: 'f', value: '' }]).subarray(0, -20), 'size'],
  ['headers', Buffer.from(`--${BOUNDARY}\r\nX: `), 'size'],
  ['a preamble', Buffer.from('what'), 'size'],
] as const) {
  test(`${what} without end: refused at a limit, and memory stays flat`, async (t) => {
    const { port } = await startServer(t, "{ mode: 'file', fileSize: '5mb', files: 1, fields: 1 }");
    const socket = net.connect(port, '127.0.0.1');
    t.after(() => socket.destroy());
    const closed = new Promise((resolve) => socket.once('close', resolve));
    let text = '';
    socket.on('data', (chunk) => (text += chunk));
    socket.on('error', () => undefined);
    socket.write(
      `POST /files HTTP/1.1\r\nHost: x\r\nAccept: application/json\r\nContent-Type: ${CONTENT_TYPE}\r\nTransfer-Encoding: chunked\r\n\r\n`,
    );
    const chunk = (piece: Buffer): Buffer =>
      Buffer.concat([Buffer.from(`${piece.length.toString(16)}\r\n`), piece, Buffer.from('\r\n')]);
    socket.write(chunk(bytes));
    const piece = chunk(Buffer.alloc(256 * 1024, 'x'));
    const before = process.memoryUsage.rss();
    for (let i = 0; i < 200 && !socket.destroyed && !text; i++) {
      if (!socket.write(piece)) {
        await Promise.race([new Promise((resolve) => socket.once('drain', resolve)), closed]);
      }
    }
    await until('it is refused', () => text.includes(`Request_${code}_limit`));
    assert.match(text, /^HTTP\/1\.1 413 /);
    assert.ok(process.memoryUsage.rss() - before < 150 * 1024 * 1024);
  });
}

test('files of processes that have died are removed when the Agent starts, old ones by the schedule', async (t) => {
  const tmpdir = path.join(temporaryDirectory(t), 'uploads');
  const { post, left } = await startServer(t, `{ autoCleanup: false, tmpdir: ${JSON.stringify(tmpdir)} }`);
  assert.equal((await post('/files', [{ name: 'f', value: 'x', filename: 'f.js' }])).status, 200);
  assert.deepEqual(left(), []);
  const [own] = filesBelow(tmpdir) as [string];
  const dir = path.join(tmpdir, '2020/01/01/00');
  mkdirSync(dir, { recursive: true });
  // A pid that is beyond what this system gives.
  writeFileSync(path.join(dir, own.replace(`-${process.pid}-`, '-99999999-')), '');
  writeFileSync(path.join(dir, own.replace(/^\w+/, '00000000').replace(`-${process.pid}-`, '-99999999-')), '');
  writeFileSync(path.join(dir, 'old.js'), '');
  utimesSync(path.join(dir, 'old.js'), 0, 0);
  const files = { 'config/config.default.js': `exports.multipart = { tmpdir: ${JSON.stringify(tmpdir)} };` };
  const agent = loadAgent(t, files);
  await agent.ready();
  await agent.lifecycle.triggerServerDidReady();
  assert.deepEqual(filesBelow(tmpdir).length, 3);
  const app = loadApp(t, files);
  await app.ready();
  await app.runSchedule('multipart/clean_tmpdir');
  assert.deepEqual(
    filesBelow(tmpdir).filter((name) => name === 'old.js'),
    [],
  );
  assert.equal(filesBelow(tmpdir).length, 2);
  assert.equal(
    readFileSync(
      path.join(
        tmpdir,
        readdirSync(tmpdir, { recursive: true })
          .map(String)
          .find((name) => name.endsWith(own)) as string,
      ),
      'utf8',
    ),
    'x',
  );
});
