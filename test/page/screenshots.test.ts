import assert from 'node:assert/strict';
import { mkdirSync, statSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { copyFixture, ROOT, startTestCluster } from '../support/apps.js';
import { startBrowser, withoutBrowser } from '../support/browser.js';

const DIRECTORY = path.join(ROOT, 'docs/images');
/** Bytes of a picture. */
const LIMIT = 150_000;
const skip = withoutBrowser || (process.env['CLUTCH_SCREENSHOTS'] ? false : 'CLUTCH_SCREENSHOTS=1 writes docs/images');
/** Milliseconds between requests. */
const PAUSE = 12;
/** Milliseconds that the charts show. */
const HISTORY = 120_000;

test('pictures of the page for the docs', { skip, timeout: 230_000 }, async (t) => {
  const baseDir = copyFixture(t, 'shop');
  const cluster = await startTestCluster(t, { baseDir, workers: 3, admin: { port: 0, page: true } });
  const paths = ['/', '/products/1', '/products/2', '/products/3', '/products/4', '/products/5', '/report'];
  let count = 0;
  const timer = setInterval(() => {
    fetch(`${cluster.url}${paths[count++ % paths.length]}`)
      .then((response) => response.text())
      .catch(() => undefined);
  }, PAUSE);
  t.after(() => clearInterval(timer));
  const address = await cluster.admin();
  const page = await (await startBrowser(t)).newPage();
  mkdirSync(DIRECTORY, { recursive: true });
  const take = async (name: string, height: number): Promise<void> => {
    await page.setViewportSize({ width: 1280, height });
    await page.hover('.brand');
    // A picture shall not show where this run had its app.
    await page.evaluate(`{
      const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
      for (let text; (text = texts.nextNode()); ) {
        text.data = text.data.replaceAll(${JSON.stringify(baseDir)}, '/srv/shop').replace(/127.0.0.1:[0-9]+/, '127.0.0.1:7001');
      }
    }`);
    const file = path.join(DIRECTORY, `${name}.png`);
    await page.screenshot({ path: file });
    assert.ok(statSync(file).size < LIMIT, `${name} has ${statSync(file).size} bytes`);
  };

  await page.goto(address);
  await page.waitForTimeout(HISTORY);
  await take('admin-now', 560);

  await page.click('nav >> text=Routes');
  await page.waitForSelector('tr[data-row^="GET /report at"] + tr.detail .is-most');
  await take('admin-routes', 740);

  await (await fetch(`${cluster.url}/crash`)).text();
  await page.emulateMedia({ colorScheme: 'dark' });
  await page.click('nav >> text=Deaths');
  await page.waitForSelector('tr.detail');
  await take('admin-deaths', 500);
});
