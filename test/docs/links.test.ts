import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { ROOT } from '../support/apps.js';
import { docsPages } from '../support/page.js';

const PAGES = ['README.md', 'CONTRIBUTING.md', 'CHANGELOG.md', 'SECURITY.md', ...docsPages()];

const textOf = (page: string): string => readFileSync(path.join(ROOT, page), 'utf8');

/** @returns files that a page links to, with the anchor if there is one */
function links(page: string): { file: string; anchor?: string }[] {
  const targets = [...textOf(page).matchAll(/\]\((?!\w+:\/\/)([^)\s#]*)(?:#([^)\s]*))?\)/g)];
  return targets.map(([, target, anchor]) => ({
    file: target ? path.join(path.dirname(page), target) : page,
    ...(anchor ? { anchor } : {}),
  }));
}

/** @returns the anchors of the headings of a page, as code hosts and the site make them */
function anchors(page: string): string[] {
  const headings = [...textOf(page).matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) => heading);
  return headings.map((heading) =>
    heading
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N}\s-]/gu, '')
      .trim()
      .replaceAll(/\s/g, '-'),
  );
}

test('links in the docs lead somewhere, also to a heading', () => {
  const dead = PAGES.flatMap((page) =>
    links(page)
      .filter(({ file, anchor }) => !existsSync(path.join(ROOT, file)) || (anchor && !anchors(file).includes(anchor)))
      .map(({ file, anchor }) => `${page}: ${file}${anchor ? `#${anchor}` : ''}`),
  );
  assert.deepEqual(dead, []);
});

test('docs/index.md, the navigation of the site, leads to every page, and docs/zh/index.md to every Chinese one', () => {
  for (const [index, pages] of [
    ['docs/index.md', docsPages().filter((page) => !page.startsWith('docs/zh/'))],
    ['docs/zh/index.md', docsPages().filter((page) => page.startsWith('docs/zh/'))],
  ] as const) {
    const listed = [...textOf(index).matchAll(/^- \[[^\]]+\]\(([^)]+)\)/gm)].map(([, page]) =>
      path.join(path.dirname(index), page as string),
    );
    assert.deepEqual(
      pages.filter((page) => page !== index && !listed.includes(page)),
      [],
      `pages without a line in ${index}`,
    );
  }
});

test('the README has its measured table', () => {
  assert.match(textOf('README.md'), /<!-- bench -->\n[^<]+\n<!-- \/bench -->/);
});
