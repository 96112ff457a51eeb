import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { test } from 'node:test';
import { chromium } from 'playwright-core';
import { temporaryDirectory } from '../support/apps.js';
import { serveTemplate } from '../support/notes_app.js';

const CHROMIUM = '/usr/bin/chromium';
const skip = existsSync(CHROMIUM) ? false : `${CHROMIUM} is not installed`;

test('in a browser a note that is submitted appears, and on another open page without a reload', {
  skip,
}, async (t) => {
  const url = await serveTemplate(t);
  const context = await chromium.launchPersistentContext(temporaryDirectory(t), {
    executablePath: CHROMIUM,
    headless: true,
    args: [
      '--headless',
      '--no-sandbox',
      '--disable-gpu',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
      '--disable-quic',
    ],
  });
  t.after(() => context.close());
  const [writer, reader] = await Promise.all([context.newPage(), context.newPage()]);
  const errors: string[] = [];
  for (const page of [writer, reader]) {
    page.on('pageerror', (error) => errors.push(error.message));
    page.on('console', (message) => message.type() === 'error' && errors.push(message.text()));
  }
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
  assert.deepEqual(errors, []);
});
