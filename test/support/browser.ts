import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { TestContext } from 'node:test';
import type { AxeResults } from 'axe-core';
import { type BrowserContext, chromium, type Page } from 'playwright-core';
import { temporaryDirectory } from './apps.js';

const CHROMIUM = '/usr/bin/chromium';
const AXE = createRequire(import.meta.url).resolve('axe-core/axe.min.js');
const RULES = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];

/** What `skip` of a test is: false where there is a browser. */
export const withoutBrowser = existsSync(CHROMIUM) ? false : `${CHROMIUM} is not installed`;

/** Starts a browser with a profile of its own, which is closed after the test. */
export async function startBrowser(t: TestContext): Promise<BrowserContext> {
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
  return context;
}

/** @returns a list that grows by each error of the page, violations of its policy among them, and each request to another origin */
export function problemsOf(page: Page, origin: string): string[] {
  const problems: string[] = [];
  page.on('pageerror', (error) => problems.push(error.stack ?? error.message));
  page.on('console', (message) => message.type() === 'error' && problems.push(message.text()));
  page.on('request', (request) => {
    if (new URL(request.url()).origin !== new URL(origin).origin) problems.push(`requests ${request.url()}`);
  });
  return problems;
}

/** @returns what is not accessible in what the page shows now, by the rules of WCAG 2.2 AA */
export async function accessibilityProblems(page: Page): Promise<string[]> {
  await page.evaluate(readFileSync(AXE, 'utf8'));
  const run = `axe.run({ runOnly: ${JSON.stringify(RULES)} })`;
  const { violations } = (await page.evaluate(run)) as AxeResults;
  return violations.flatMap(({ id, nodes }) =>
    nodes.map(
      ({ target, failureSummary = '' }) => `${id} ${target.join(' ')}: ${failureSummary.replaceAll('\n', ' ')}`,
    ),
  );
}
