import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import type { Page } from 'playwright-core';
import { copyFixture, until } from '../support/apps.js';
import { problemsOf, startBrowser, withoutBrowser } from '../support/browser.js';
import { startDev } from '../support/dev.js';

interface Visit {
  app: string;
  page: Page;
  problems: string[];
}

/** Runs `clutch dev` and opens the page that its first block names. */
async function visit(t: TestContext): Promise<Visit> {
  const dev = await startDev(t, copyFixture(t, 'shop'), ['--port', '0', '--admin-port', '0']);
  const [, address = ''] = /admin page: (\S+)/.exec(await dev.printed('admin page: ')) ?? [];
  const page = await (await startBrowser(t)).newPage();
  page.setDefaultTimeout(15_000);
  const problems = problemsOf(page, address);
  await page.goto(address);
  return { app: dev.url, page, problems };
}

test('with `clutch dev` open a newcomer finds which route is slow, and what in it', {
  skip: withoutBrowser,
}, async (t) => {
  const { app, page, problems } = await visit(t);
  await page.click('nav >> text=Routes');
  await page.waitForSelector('text=None recorded yet');
  // What is recorded begins when somebody looks: the first requests may be too early.
  const recorded = page.locator('tr[data-row^="GET /report"] + tr.detail:has-text("most of the time")');
  await until('a slow request is recorded', async () => {
    for (const path of ['/', '/products/1', '/report', '/']) await (await fetch(app + path)).text();
    return (await recorded.count()) > 0;
  });
  // The workers report their counts once a second.
  const slowest = await page.locator('section[aria-label=Routes] .line:has-text("GET /report")').textContent();
  assert.match(slowest ?? '', /^slowestGET \/report: 95 of 100 requests within \d+ ms, app\/controller\/report\.js$/);
  await page.waitForSelector('tbody tr:first-child[data-row="GET /report"]:has-text("slow")');
  const most = await page.locator('li.is-most').textContent();
  assert.match(most ?? '', /^service report\.sum.*most of the time$/);
  assert.deepEqual(problems, []);
});

test('with `clutch dev` open a newcomer finds why a worker died', { skip: withoutBrowser }, async (t) => {
  const { app, page, problems } = await visit(t);
  await page.waitForSelector('text=All is well');
  await (await fetch(`${app}/crash`)).text();
  await page.click('.verdict li:has-text("Worker 0 was replaced") a');
  const detail = page.locator('tr.detail');
  await detail.waitFor();
  const text = (await detail.textContent()) ?? '';
  assert.match(text, /TypeError: Cannot read properties of undefined \(reading 'number'\)/);
  assert.match(text, /app\/controller\/order\.js:12/);
  assert.match(text, /The last lines that it wrote.*charging a card/s);
  assert.deepEqual(problems, []);
});

test('with `clutch dev` open a newcomer finds which file has set a config value', {
  skip: withoutBrowser,
}, async (t) => {
  const { page, problems } = await visit(t);
  await page.click('nav >> text=Config');
  await page.fill('input[type=search]', 'currency');
  const row = page.locator('tr[data-row="shop.currency"]');
  await row.waitFor();
  assert.equal(
    (await row.locator('td').allTextContents()).join(' | '),
    'shop.currency | "USD" | config/config.local.jsoverrides "EUR" of config/config.default.js',
  );
  assert.deepEqual(problems, []);
});
