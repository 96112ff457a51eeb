import assert from 'node:assert/strict';
import { test } from 'node:test';
import { problemsOf, startBrowser, withoutBrowser } from '../support/browser.js';
import { serveTemplate } from '../support/notes_app.js';

test('in a browser a note that is submitted appears, and on another open page without a reload', {
  skip: withoutBrowser,
}, async (t) => {
  const url = await serveTemplate(t);
  const context = await startBrowser(t);
  const [writer, reader] = await Promise.all([context.newPage(), context.newPage()]);
  const problems = [writer, reader].map((page) => problemsOf(page, url));
  await reader.goto(url);
  await reader.waitForSelector('body[data-live=yes]');
  await writer.goto(url);
  await writer.fill('input[name=author]', 'Ada');
  await writer.fill('textarea[name=text]', '<i>Buy a loom</i>');
  await writer.click('button');
  await writer.waitForSelector('text=Your note is saved.');
  assert.equal(await writer.textContent('#notes li'), 'Ada <i>Buy a loom</i>');
  assert.equal(await writer.inputValue('input[name=author]'), 'Ada');
  assert.equal(await (await reader.waitForSelector('#notes li')).textContent(), 'Ada <i>Buy a loom</i>');

  const id = await reader.getAttribute('#notes li', 'data-id');
  assert.equal((await reader.request.delete(`${url}/api/notes/${id}`)).status(), 204);
  await reader.waitForSelector('#notes li', { state: 'detached' });
  assert.deepEqual(problems.flat(), []);
});
