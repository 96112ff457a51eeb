import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { assertApproved, withPlaceholders } from '../support/approved.js';
import { CLI, temporaryDirectory, until } from '../support/apps.js';
import { type Dev, linkDependencies, runDev } from '../support/dev.js';
import { Edits } from '../support/edits.js';
import { request } from '../support/http.js';

const run = promisify(execFile);

/** What a newcomer does to the app of the template, and how `clutch dev` answers: up to the end of what `screen` matches. */
interface Breakage {
  breaks(app: Edits): void;
  screen: RegExp;
  /** The words are those of what loads TypeScript: Node itself, or tsx where Node cannot. */
  byLoader?: boolean;
  /** What `clutch dev` prints once the app is as it was; default: that its app workers were replaced. */
  mended?: RegExp;
}

/** Node 22 warns that its SQLite is experimental. */
const SQLITE_WARNING = /\(node:\d+\) ExperimentalWarning: SQLite .*\n\(Use .*\n/g;
const LOADER = (process.features as { typescript?: unknown }).typescript ? 'node' : 'tsx';
const REFUSED = /^\d\d:\d\d:\d\d .*the new code does not start\n[\s\S]*?still serving the version of .*\n/m;
const REPLACED = /^\d\d:\d\d:\d\d .*replaced .* in \d+ ms\n/m;

const BREAKAGES: Record<string, Breakage> = {
  'syntax error': {
    breaks: ({ append }) => append('app/controller/home.ts', 'const a = ;\n'),
    screen: REFUSED,
    byLoader: true,
  },
  'missing module': {
    breaks: ({ prepend }) =>
      prepend('app/service/note.ts', "import redis from 'ioredis';\nexport const client = redis;\n"),
    screen: REFUSED,
    byLoader: true,
  },
  'missing file': {
    breaks: ({ prepend }) => prepend('app/service/note.ts', "import './notes.ts';\n"),
    screen: REFUSED,
    byLoader: true,
  },
  'wrong config key': {
    breaks: ({ replace }) =>
      replace('config/config.default.ts', '  notes: {', "  bodyparser: { jsonLimit: '2mb' },\n  notes: {"),
    screen: /^.* WARN .*\n/m,
  },
  'missing controller': {
    breaks: ({ replace }) => replace('app/router.ts', "'home.index'", "'home.show' as 'home.index'"),
    screen: REFUSED,
  },
  'missing plugin': {
    breaks: ({ replace }) =>
      replace('config/plugin.ts', '\n};', "\n  redis: { enable: true, package: 'egg-redis' },\n};"),
    screen: REFUSED,
  },
  'circular plugins': {
    breaks: ({ write, replace }) => {
      for (const [name, dependency] of [
        ['a', 'b'],
        ['b', 'a'],
      ] as const) {
        const eggPlugin = { name, dependencies: [dependency] };
        write(`lib/plugin/${name}/package.json`, JSON.stringify({ name, eggPlugin }));
      }
      const line = (name: string): string =>
        `  ${name}: { enable: true, path: path.join(import.meta.dirname, '../lib/plugin/${name}') },\n`;
      replace('config/plugin.ts', '\n};', `\n${line('a')}${line('b')}};`);
    },
    screen: REFUSED,
  },
  'hook that throws': {
    breaks: ({ replace }) =>
      replace(
        'app.ts',
        '  async beforeClose',
        "  async willReady(): Promise<void> {\n    throw new Error('no database');\n  }\n\n  async beforeClose",
      ),
    screen: REFUSED,
  },
  'unhandled rejection': {
    breaks: ({ replace }) =>
      replace(
        'app.ts',
        '  async beforeClose',
        "  async serverDidReady(): Promise<void> {\n    void Promise.reject(new Error('nobody listens'));\n  }\n\n  async beforeClose",
      ),
    screen: /^.* ERROR [\s\S]*?\n\n/m,
  },
  'uncaught exception': {
    breaks: ({ replace }) =>
      replace(
        'app.ts',
        '  async beforeClose',
        "  async serverDidReady(): Promise<void> {\n    setTimeout(() => {\n      throw new Error('lost the database');\n    }, 100);\n  }\n\n  async beforeClose",
      ),
    screen: /^\d\d:\d\d:\d\d app worker \d+ is leaving [\s\S]*?\^\n/m,
    mended: /^\d\d:\d\d:\d\d app\.ts: (?:replaced|started) app worker .*\n/m,
  },
  'type error': {
    breaks: ({ append }) => append('app/controller/home.ts', "export const wrong: number = 'text';\n"),
    screen: /^\d\d:\d\d:\d\d \d+ type error[\s\S]*?\^\n/m,
    mended: /^\d\d:\d\d:\d\d no type errors\n/m,
  },
};

test('a newcomer makes an app, breaks it in a dozen ways, mends it, tests it, starts and stops it', async (t) => {
  t.after(async () => void (existsSync(app) && (await clutch('stop'))));
  const home = temporaryDirectory(t);
  const parent = temporaryDirectory(t);
  const app = path.join(parent, 'my-app');
  const env = { ...process.env, NODE_TEST_CONTEXT: undefined, NODE_ENV: undefined, EGG_HOME: home, NO_COLOR: '1' };
  const clutch = async (...args: string[]): Promise<string> => {
    const { stdout, stderr } = await run(process.execPath, [CLI, ...args], {
      cwd: existsSync(app) ? app : parent,
      env,
    });
    return stdout + stderr;
  };
  const approve = (name: string, text: string): void =>
    assertApproved(
      `newcomer/${name.replaceAll(' ', '_')}`,
      withPlaceholders(text.replace(SQLITE_WARNING, ''), { app, home, parent }),
    );

  approve('init', await clutch('init', 'my-app'));
  linkDependencies(app);

  const dev = runDev(t, app, ['--port', '0'], { EGG_HOME: home });
  const block = await dev.printed('Ctrl-C ends it\n');
  approve('dev', block);
  const url = /started on (\S+)/.exec(block)?.[1] as string;
  assert.match((await request(url)).body, /<h1>Notes</);

  new Edits(app).replace('app/controller/home.ts', "ctx.session.author ?? ''", "ctx.session.author ?? 'Grace'");
  approve('edit', await screenAfter(dev, block.length, REPLACED));
  assert.match((await request(url)).body, /value="Grace"/);

  for (const [name, { breaks, screen, mended = REPLACED, byLoader }] of Object.entries(BREAKAGES)) {
    await t.test(name, async () => {
      const broken = new Edits(app);
      const before = dev.output().length;
      breaks(broken);
      approve(byLoader ? `${name} by ${LOADER}` : name, await screenAfter(dev, before, screen));
      const seen = dev.output().length;
      broken.undo();
      await screenAfter(dev, seen, mended);
    });
  }

  await t.test('port taken', async () => {
    const second = runDev(t, app, ['--port', new URL(url).port], { EGG_HOME: home });
    await new Promise((resolve) => second.child.once('close', resolve));
    assert.equal(second.child.exitCode, 1);
    approve('port taken', linesOf(second.output(), /^(?!.* closes$)/));
  });
  assert.equal(await dev.stop(), 0);

  approve('test', linesOf(await clutch('test'), /^\S* ?(?:tests|pass|fail) \d+$/));
  approve('build', await clutch('build'));
  approve('start', await clutch('start', '--daemon', '--port', '0', '--workers', '1'));
  approve('status', columns(await clutch('status'), 3));
  approve('stop', await clutch('stop'));
  approve('stopped', await clutch('stop'));
});

/** @returns the first columns of a table, whose width depends on what is in them */
function columns(text: string, count: number): string {
  return text
    .split('\n')
    .map((line) =>
      line
        .split(/ {2,}/)
        .slice(0, count)
        .join('  ')
        .replace(/ {2}\d+/, '  <pid>'),
    )
    .join('\n');
}

function linesOf(text: string, line: RegExp): string {
  return text
    .split('\n')
    .filter((each) => each !== '' && line.test(each))
    .join('\n');
}

/** Waits until `clutch dev` has printed something after a position of its output. @returns the part that matches */
async function screenAfter(dev: Dev, position: number, screen: RegExp): Promise<string> {
  const match = (): string | undefined => screen.exec(dev.output().slice(position))?.[0];
  await until(`clutch dev prints ${screen}`, match, 30_000).catch((error: Error) =>
    assert.fail(`${error.message}:\n${dev.output().slice(position)}`),
  );
  return match() as string;
}
