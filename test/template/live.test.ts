import assert from 'node:assert/strict';
import http from 'node:http';
import { type TestContext, test } from 'node:test';
import { until } from '../support/apps.js';
import { request, requestJson } from '../support/http.js';
import { serveTemplate } from '../support/notes_app.js';

interface Note {
  id: number;
  text: string;
}

/** @returns what a page is sent so far */
async function openPage(t: TestContext, url: string): Promise<() => string> {
  let received = '';
  const request = http.get(`${url}/live`, { agent: false }, (response) => {
    response.setEncoding('utf8').on('data', (chunk: string) => (received += chunk));
    response.on('error', () => undefined);
  });
  request.on('error', () => undefined);
  t.after(() => request.destroy());
  await until('the page is connected', () => received.includes(': connected'));
  return () => received;
}

const write = (url: string, text: string): Promise<Note> =>
  requestJson<Note>(`${url}/api/notes`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ author: 'Ada', text }),
  });

test('the template with two workers: all write to one database, and every open page sees every note in one order', async (t) => {
  const url = await serveTemplate(t);
  const pages = await Promise.all(Array.from({ length: 4 }, () => openPage(t, url)));
  const notes = await Promise.all(Array.from({ length: 20 }, (_, index) => write(url, `note ${index}`)));
  assert.equal(new Set(notes.map(({ id }) => id)).size, 20);
  const listed = await requestJson<Note[]>(`${url}/api/notes?limit=100`);
  assert.deepEqual(listed.map(({ text }) => text).sort(), notes.map(({ text }) => text).sort());

  const first = notes[0] as Note;
  assert.equal((await request(`${url}/api/notes/${first.id}`, { method: 'DELETE' })).status, 204);
  for (const page of pages) await until('the page is told of the end', () => page().includes('event: removed'));
  const [order, ...others] = pages.map((page) => [...page().matchAll(/"id":(\d+),/g)].map(([, id]) => id));
  assert.equal(order?.length, 20);
  for (const other of others) assert.deepEqual(other, order);
});
