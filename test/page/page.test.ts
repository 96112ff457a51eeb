import assert from 'node:assert/strict';
import { readdirSync, statSync } from 'node:fs';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import type { BrowserContext, Page } from 'playwright-core';
import { copyFixture, ROOT, startTestCluster, until } from '../support/apps.js';
import { accessibilityProblems, problemsOf, startBrowser, withoutBrowser } from '../support/browser.js';

/** What each view shows of the app `shop` under load. */
const VIEWS: Record<string, string> = {
  now: '.verdict-summary:has-text("2 workers serve")',
  routes: 'tr[data-row="GET /report"]:has-text("app/controller/report.js")',
  deaths: 'text=No process has ended',
  boot: 'text=/^App worker: ready after/',
  config: 'tr[data-row="shop.currency"]:has-text("config/config.prod.js")',
  plugins: 'svg.graph text:text-is("security")',
  messages: 'tr[data-row^="prices.changed"]',
  schedule: 'tr[data-row=refresh_rates]:has-text("one worker")',
  logs: '.log-line:has-text("a report in 2 currencies")',
  fleet: 'text=This cluster is alone',
};

const SIZE_LIMIT = 150_000;

test('the files of the page have less than 150 kB together', () => {
  const directory = path.join(ROOT, 'dist/page');
  const files = readdirSync(directory, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  const sizes = files.map(({ parentPath, name }) => statSync(path.join(parentPath, name)).size);
  assert.ok(sizes.length >= 4);
  assert.ok(sizes.reduce((sum, size) => sum + size) < SIZE_LIMIT, sizes.join(' + '));
});

test('the admin page in a browser', { skip: withoutBrowser }, async (t) => {
  const baseDir = copyFixture(t, 'shop');
  const options = { baseDir, admin: { port: 0, page: true } };
  const cluster = await startTestCluster(t, options);
  const stopLoad = load(t, cluster.url);
  const address = await cluster.admin();
  const browser = await startBrowser(t);
  const page = await open(browser, address);
  const problems = problemsOf(page, address);
  const go = async (view: string): Promise<void> => {
    await page.goto(`${address}/#${view}${view === 'config' ? '?filter=shop.' : ''}`);
    await page.waitForSelector(VIEWS[view] as string);
  };

  for (const [view] of Object.entries(VIEWS)) {
    await t.test(`view ${view} shows the cluster, in light and dark, on a phone, without a barrier`, async () => {
      await page.setViewportSize({ width: 1280, height: 800 });
      await go(view);
      for (const colorScheme of ['light', 'dark'] as const) {
        await page.emulateMedia({ colorScheme });
        assert.deepEqual(await accessibilityProblems(page), []);
      }
      await page.setViewportSize({ width: 400, height: 800 });
      assert.equal(await page.evaluate('document.documentElement.scrollWidth'), 400);
      assert.deepEqual(await accessibilityProblems(page), []);
    });
  }
  await page.setViewportSize({ width: 1280, height: 800 });

  await t.test('colours follow the system, or the switch', async () => {
    const ground = () => page.evaluate<string>('getComputedStyle(document.documentElement).backgroundColor');
    await page.emulateMedia({ colorScheme: 'dark' });
    const dark = await ground();
    await page.emulateMedia({ colorScheme: 'light' });
    const light = await ground();
    assert.notEqual(light, dark);
    await page.keyboard.press('t');
    await page.emulateMedia({ colorScheme: 'dark' });
    assert.equal(await ground(), light);
    await page.click('button[aria-label="Colours: light"]');
    await page.click('button[aria-label="Colours: dark"]');
    await page.waitForSelector('button[aria-label="Colours: auto"]');
  });

  await t.test('keys switch views, filter, move between rows and list themselves', async () => {
    await go('now');
    await page.keyboard.press('5');
    await page.waitForSelector(VIEWS['config'] as string);
    await page.keyboard.press('/');
    await page.keyboard.type('shop.');
    await page.waitForSelector('.filter-count:text-matches("^2 of ")');
    assert.match(page.url(), /#config\?filter=shop\.$/);
    await page.keyboard.press('Escape');
    await page.waitForSelector('.filter-count:text-matches("^[0-9]{3} of ")');
    await page.keyboard.press('Escape');
    await page.keyboard.press('g');
    await page.keyboard.press('s');
    await page.waitForSelector(VIEWS['schedule'] as string);
    const second = await page.locator('tr[data-row]').nth(1).getAttribute('data-row');
    await page.locator('tr[data-row]').first().focus();
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('Enter');
    await page.waitForSelector(`tr[data-row="${second}"] + tr.detail`);
    await page.keyboard.press('?');
    await page.waitForSelector('dialog:has-text("Keyboard")');
    assert.deepEqual(await accessibilityProblems(page), []);
    await page.keyboard.press('Escape');
    await page.waitForSelector('dialog', { state: 'detached' });
  });

  await t.test('a log is filtered by level, process and trace, and stands still while it is paused', async () => {
    await go('logs');
    await page.keyboard.press(' ');
    const lines = () => page.locator('.log-line').count();
    const before = await lines();
    await page.waitForTimeout(1500);
    assert.equal(await lines(), before);
    await page.click('button:has-text("Continue")');
    await until('new lines come', async () => (await lines()) > before);
    await page.selectOption('label:has-text("Level") select', 'ERROR');
    await page.waitForSelector('text=No line matches the filter.');
  });

  await t.test('a schedule is run by hand', async () => {
    await go('schedule');
    await page.click('button[aria-label="Run now: refresh_rates"]');
    await page.click('dialog button:has-text("Run now")');
    await page.waitForSelector('.notice:has-text("refresh_rates has run")');
    await page.waitForSelector('tr[data-row=refresh_rates]:has-text("ok")');
  });

  await t.test('a reload is confirmed, done and remembered', async () => {
    const { workers } = await cluster.pids();
    await go('now');
    await page.click('button:has-text("Reload")');
    await page.waitForSelector('dialog:has-text("Reload all processes?")');
    assert.deepEqual(await accessibilityProblems(page), []);
    await page.click('dialog button.primary');
    await page.waitForSelector('.notice:has-text("All processes run the new code")');
    await page.waitForSelector('section[aria-label="Last reload"]:has-text("asked for by the page at 127.0.0.1")');
    for (const pid of workers) await page.waitForSelector(`tr[data-row$=" ${pid}"]`, { state: 'detached' });
  });

  await t.test('a worker is restarted, and their number changed', async () => {
    const [pid] = (await cluster.pids()).workers;
    await page.click(`tr[data-row$=" ${pid}"] button:has-text("Restart")`);
    await page.click('dialog button.primary');
    await page.waitForSelector(`.notice:has-text("Another process has taken the place of ${pid}")`);
    await page.click('button:has-text("Scale")');
    await page.fill('dialog input', '3');
    await page.click('dialog button:has-text("Change to 3 workers")');
    await page.waitForSelector('.notice:has-text("3 workers now")');
    await page.waitForSelector('.verdict-summary:has-text("3 workers serve")');
  });

  await t.test('a worker that was killed is seen within two seconds, and why', async () => {
    const [pid = 0] = (await cluster.pids()).workers;
    await page.waitForSelector(`tr[data-row$=" ${pid}"]`);
    const begin = Date.now();
    process.kill(pid, 'SIGKILL');
    await page.waitForSelector(`tr[data-row$=" ${pid}"]`, { state: 'detached' });
    const seen = Date.now() - begin;
    assert.ok(seen < 2000, `${seen} ms`);
    await page.click('.verdict a:has-text("See deaths")');
    await page.waitForSelector(`tr[data-row^="${pid} at"]:has-text("signal")`);
    await page.waitForSelector('tr.detail:has-text("SIGKILL")');
    assert.deepEqual(await accessibilityProblems(page), []);
  });

  await t.test('no error, no request to another origin, no violation of the policy', () => {
    assert.deepEqual(problems, []);
  });

  await t.test('a lost connection is shown, and heals', async () => {
    stopLoad();
    await cluster.stop();
    await page.waitForSelector('.connection:has-text("connection lost")');
    assert.deepEqual(await accessibilityProblems(page), []);
    const { port } = new URL(address);
    await startTestCluster(t, { ...options, admin: { port: Number(port), page: true } });
    await page.waitForSelector('.connection:has-text("live")');
  });
});

test('in read-only mode the buttons say why they do nothing', { skip: withoutBrowser }, async (t) => {
  const admin = { port: 0, page: true, readOnly: true };
  const cluster = await startTestCluster(t, { baseDir: copyFixture(t, 'shop'), workers: 1, admin });
  const page = await open(await startBrowser(t), await cluster.admin());
  const button = await page.waitForSelector('button:has-text("Reload")');
  assert.equal(await button.getAttribute('aria-disabled'), 'true');
  assert.match((await button.getAttribute('title')) ?? '', /admin\.readOnly/);
  await button.click({ force: true });
  assert.equal(await page.locator('dialog').count(), 0);
  assert.deepEqual(await accessibilityProblems(page), []);
});

async function open(browser: BrowserContext, address: string): Promise<Page> {
  const page = await browser.newPage();
  page.setDefaultTimeout(15_000);
  await page.goto(address);
  await page.waitForSelector('.connection:has-text("live")');
  return page;
}

/** Requests all the time. @returns what ends that */
function load(t: TestContext, url: string): () => void {
  const paths = ['/', '/products/1', '/products/2', '/report'];
  let count = 0;
  const timer = setInterval(() => {
    // One that a killed worker had begun fails: nobody waits for it.
    fetch(`${url}${paths[count++ % paths.length]}`)
      .then((response) => response.text())
      .catch(() => undefined);
  }, 40);
  const stop = (): void => clearInterval(timer);
  t.after(stop);
  return stop;
}
