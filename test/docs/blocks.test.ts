import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { transformSync } from 'esbuild';
import { globbySync } from 'globby';
import { ROOT } from '../support/apps.js';
import { type Block, blocksOf, docsPages } from '../support/page.js';

// What each example does is shown by the test that names its page; here is that none is left out, and that each can be read by what it is for.

const PAGES = ['README.md', ...docsPages()];
const LANGUAGES = ['js', 'ts', 'json', 'sh', 'bash', 'text', 'css', 'html', 'ini', 'yaml', 'dockerfile', ''];

/** @returns what is wrong with the blocks of some languages, a line for each */
function faults(languages: string[], faultOf: (block: Block) => string | undefined): string[] {
  return PAGES.flatMap((page) =>
    blocksOf(page)
      .filter(({ language }) => languages.includes(language))
      .flatMap((block) => {
        const fault = faultOf(block);
        return fault ? [`${page}: ${block.code.split('\n')[0]}: ${fault}`] : [];
      }),
  );
}

const messageOf = (attempt: () => unknown): string | undefined => {
  try {
    attempt();
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
};

test('every block has a language that is checked, or none', () => {
  const others = PAGES.flatMap((page) =>
    blocksOf(page)
      .filter(({ language }) => !LANGUAGES.includes(language))
      .map(({ language }) => `${page}: ${language}`),
  );
  assert.deepEqual(others, []);
});

test('every page with JavaScript or TypeScript is named by a test that runs or compiles it', () => {
  // Fixtures link back to the repository.
  const sources = globbySync(['test/**/*.test.ts', '!test/fixtures'], {
    cwd: ROOT,
    ignore: ['test/docs/blocks.test.ts'],
  })
    .map((file) => readFileSync(path.join(ROOT, file), 'utf8'))
    .join('\n');
  const withCode = PAGES.filter((page) => blocksOf(page).some(({ language }) => ['js', 'ts'].includes(language)));
  const unnamed = withCode.filter((page) => !sources.includes(page));
  assert.deepEqual(unnamed, []);
});

test('every block of JavaScript and TypeScript can be parsed', () => {
  assert.deepEqual(
    faults(['js', 'ts'], ({ code, language }) => messageOf(() => transformSync(code, { loader: language as 'js' }))),
    [],
  );
});

test('every block of JSON can be parsed', () => {
  assert.deepEqual(
    faults(['json'], ({ code }) => messageOf(() => JSON.parse(code))),
    [],
  );
});

/** Command → its options, from the table that `npm run docs` writes. */
const COMMANDS = new Map(
  [
    ...readFileSync(path.join(ROOT, 'docs/cli.md'), 'utf8').matchAll(
      /^\| `clutch ([a-z]+)[^`]*` \|[^|]*\|([^|]*)\|$/gm,
    ),
  ].map(([, name = '', options = '']) => [name, new Set(options.match(/--[a-z-]+/g))]),
);

/** @returns what is wrong with a call of `clutch` */
function faultOfCommand([name = '', ...args]: string[]): string | undefined {
  const options = COMMANDS.get(name);
  if (!options) return name.startsWith('-') ? undefined : `there is no command ${name}`;
  const unknown = args.find(
    (arg) => arg.startsWith('--') && !options.has(arg.split('=')[0] as string) && arg !== '--help',
  );
  return unknown && `clutch ${name} has no ${unknown}`;
}

test('every block of commands can be run by a shell, and names commands and options that clutch has', () => {
  assert.ok(COMMANDS.size > 20);
  assert.deepEqual(
    faults(['sh', 'bash'], ({ code }) => {
      const { status, stderr } = spawnSync('bash', ['-n'], { input: code, encoding: 'utf8' });
      if (status !== 0) return stderr;
      const calls = [...code.matchAll(/^(?:.*?\s)?(?:npx )?(?:koa-)?clutch(?! clutch)((?: [^\s#|&;]+)+)/gm)];
      return calls.map(([, args = '']) => faultOfCommand(args.trim().split(' '))).find(Boolean);
    }),
    [],
  );
});

test('commands within the text of a page exist, too', () => {
  const wrong = PAGES.filter((page) => page !== 'docs/differences.md').flatMap((page) => {
    const text = readFileSync(path.join(ROOT, page), 'utf8');
    const calls = [...text.matchAll(/`(?:npx )?clutch ([a-z][^`|]*)`/g)].map(([, call = '']) => call);
    return calls
      .flatMap((call) => faultOfCommand(call.split(' ').filter((part) => !/[<…[]/.test(part))) ?? [])
      .map((fault) => `${page}: ${fault}`);
  });
  assert.deepEqual(wrong, []);
});
