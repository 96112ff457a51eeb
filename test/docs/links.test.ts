import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { ROOT } from '../support/apps.js';

const PAGES = ['README.md', 'CONTRIBUTING.md', ...readdirSync(path.join(ROOT, 'docs')).map((name) => `docs/${name}`)];

function links(page: string): string[] {
  const text = readFileSync(path.join(ROOT, page), 'utf8');
  const targets = [...text.matchAll(/\]\(([^)\s#]+)(?:#[^)]*)?\)/g)].map(([, target = '']) => target);
  return targets.filter((target) => !target.includes('://')).map((target) => path.join(path.dirname(page), target));
}

test('links in the docs lead somewhere', () => {
  const dead = PAGES.filter((page) => page.endsWith('.md')).flatMap((page) =>
    links(page)
      .filter((target) => !existsSync(path.join(ROOT, target)))
      .map((target) => `${page}: ${target}`),
  );
  assert.deepEqual(dead, []);
});

test('the README leads to every page, and has its measured table', () => {
  const pages = PAGES.filter((page) => page.startsWith('docs/'));
  assert.deepEqual(
    pages.filter((page) => !links('README.md').includes(page)),
    [],
  );
  assert.match(readFileSync(path.join(ROOT, 'README.md'), 'utf8'), /<!-- bench -->\n[^<]+\n<!-- \/bench -->/);
});
