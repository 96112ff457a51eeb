import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { FILES, startPage } from '../support/admin.js';
import { accessibilityProblems, problemsOf, startBrowser, withoutBrowser } from '../support/browser.js';
import { request } from '../support/http.js';

test('actions of the page in a browser', { skip: withoutBrowser }, async (t) => {
  const files = {
    ...FILES,
    'config/plugin.js': 'exports.jobs = true;',
    'config/config.prod.js': "exports.jobs = { engine: 'memory', attempts: 1 };",
    'app/job/mail.js': `let attempts = 0;
      exports.handle = async () => { attempts += 1; if (attempts === 1) throw new Error('no mail server'); };`,
    'app/schedule/breaks.js': `exports.schedule = { type: 'worker', interval: '1h' };
      exports.task = async () => { throw new Error('out of paper'); };`,
    'app/router.js': `module.exports = ({ router }) => {
      router.get('/', async (ctx) => { ctx.body = await ctx.jobs.mail.add({}); });
    };`,
  };
  const { page: address, pids, url } = await startPage(t, { files });
  const page = await (await startBrowser(t)).newPage();
  page.setDefaultTimeout(15_000);
  const problems = problemsOf(page, address);
  await page.goto(address);
  await page.waitForSelector('.connection:has-text("live")');

  await t.test('a worker is profiled, into the file that the page names', async () => {
    const [pid] = (await pids()).workers;
    await page.click(`tr[data-row$=" ${pid}"] button:has-text("Profile")`);
    await page.fill('dialog input[type=number]', '1');
    assert.deepEqual(await accessibilityProblems(page), []);
    await page.click('dialog button:has-text("Start")');
    const notice = await page.waitForSelector('.notice:has-text("The profile is in")');
    const [, file = ''] = /The profile is in (\S+): open it/.exec((await notice.textContent()) ?? '') ?? [];
    const { nodes } = JSON.parse(readFileSync(file, 'utf8')) as { nodes: unknown[] };
    assert.ok(nodes.length > 1);
  });

  await t.test('a job that has failed is tried again', async () => {
    await request(url);
    await page.keyboard.press('8');
    const queue = page.locator('section[aria-label="Queue mail"]');
    await queue.locator('tr:has-text("no mail server")').waitFor();
    await queue.locator('text=1 failed').waitFor();
    await queue.locator('button:has-text("Try again")').click();
    await page.waitForSelector('.notice:has-text("waits to run again")');
    await queue.locator('text=0 failed').waitFor();
  });

  await t.test('a run by hand that fails says so, and why', async () => {
    await page.click('button[aria-label="Run now: breaks"]');
    await page.click('dialog button.primary');
    const row = page.locator('tr[data-row=breaks]');
    await row.locator('text=failed').waitFor();
    await row.locator('td').first().click();
    await page.waitForSelector('tr.detail:has-text("out of paper")');
  });

  await t.test('Esc closes a dialog or an open row, and the focus is where it was', async () => {
    const focused = () =>
      page.evaluate<string>('document.activeElement.ariaLabel ?? document.activeElement.dataset.row');
    const run = page.locator('button[aria-label="Run now: breaks"]');
    await run.focus();
    await page.keyboard.press('Enter');
    await page.waitForSelector('dialog[open]');
    await page.keyboard.press('Escape');
    await page.waitForSelector('dialog', { state: 'detached' });
    assert.equal(await focused(), 'Run now: breaks');
    const opener = page.locator('button[aria-label="Details of breaks"]');
    if ((await opener.getAttribute('aria-expanded')) === 'false') await opener.click();
    await page.locator('tr.detail tr[data-row]').first().focus();
    await page.keyboard.press('Escape');
    await page.waitForSelector('tr.detail', { state: 'detached' });
    assert.equal(await focused(), 'breaks');
  });

  await t.test('a filter that matches nothing says so, and Esc clears it', async () => {
    await page.keyboard.press('5');
    await page.waitForSelector('tr[data-row="shop.name"]');
    await page.keyboard.press('/');
    await page.keyboard.type('nothing-like-this');
    await page.waitForSelector('td:has-text("Nothing matches “nothing-like-this”.")');
    assert.deepEqual(await accessibilityProblems(page), []);
    await page.keyboard.press('Escape');
    await page.waitForSelector('tr[data-row="shop.name"]');
  });

  await t.test('a trace id that nothing has says why', async () => {
    await page.keyboard.press('Escape');
    await page.keyboard.press('9');
    await page.fill('input.trace', 'abc');
    await page.waitForSelector('text=No line has a trace id');
  });

  await t.test('a restart that was asked for names who asked, in its row', async () => {
    const [pid] = (await pids()).workers;
    await page.keyboard.press('Escape');
    await page.goto(`${address}/#now`);
    await page.click(`tr[data-row$=" ${pid}"] button:has-text("Restart")`);
    await page.click('dialog button.primary');
    await page.waitForSelector(`.notice:has-text("has taken the place of ${pid}")`);
    await page.goto(`${address}/#deaths`);
    await page.waitForSelector(`tr[data-row^="${pid} at"]:has-text("the page at 127.0.0.1")`);
  });

  assert.deepEqual(problems, []);
});
