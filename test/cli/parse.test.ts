import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { commandTable, exitCodeTable } from '../../cli/command_table.js';
import { COMMANDS } from '../../cli/commands.js';
import { CLI, ROOT, temporaryDirectory } from '../support/apps.js';

const run = promisify(execFile);

interface Outcome {
  code: number;
  stdout: string;
  stderr: string;
}

async function clutch(args: string[], cwd = ROOT): Promise<Outcome> {
  const env = { ...process.env, NODE_TEST_CONTEXT: undefined };
  try {
    return { code: 0, ...(await run(process.execPath, [CLI, ...args], { cwd, env })) };
  } catch (error) {
    return error as Outcome;
  }
}

for (const [args, message] of [
  [['stat'], "unknown command 'stat'; did you mean start?"],
  [['start', '--wokers', '2'], "unknown option '--wokers'; did you mean --workers?"],
  [['start', '.', 'more'], "too many arguments for 'start'. Expected 1 argument but got 2."],
  [['workers', 'many'], 'the number of workers is many'],
  [['fleet', 'stat'], "there is no action 'stat'. Allowed choices are status, reload, config, history."],
  [['jobs', '.', 'email/welcome'], "there is no action '.'. Allowed choices are list, retry, pause, resume."],
  [['init'], "missing required argument 'directory'"],
] as const) {
  test(`clutch ${args.join(' ')} is refused with exit code 2, the reason and the help that shows the right way`, async () => {
    const { code, stdout, stderr } = await clutch([...args]);
    assert.equal(code, 2);
    assert.equal(stdout, '');
    const [first, second, ...rest] = stderr.trimEnd().split('\n');
    assert.equal(first, `ERR_CLUTCH_CLI: ${message}`);
    assert.match(String(second), /^ {2}`clutch .*--help` shows how it is used\.$/);
    assert.deepEqual(rest, []);
  });
}

test('every command has help with examples that begin with its own name, and [directory]', async () => {
  for (const name of Object.keys(COMMANDS)) {
    const { code, stdout } = await clutch([name, '--help']);
    assert.equal(code, 0, name);
    assert.match(stdout, new RegExp(`^Usage: clutch ${name} .*[[<]directory[\\]>]`));
    assert.match(stdout, new RegExp(`Examples:\n  clutch ${name}`));
    assert.equal((await clutch(['help', name])).stdout, stdout);
  }
});

test('clutch --help lists the commands, and --version prints the version', async () => {
  const { stdout } = await clutch(['--help']);
  for (const [name, { summary }] of Object.entries(COMMANDS)) {
    assert.ok(stdout.replace(/\s+/g, ' ').includes(`${name} ${summary}`), name);
  }
  assert.equal((await clutch([])).stdout, stdout);
  const { version } = JSON.parse(readFileSync(path.join(ROOT, 'package.json'), 'utf8')) as { version: string };
  assert.equal((await clutch(['--version'])).stdout, `${version}\n`);
});

test('clutch --help loads no library but the one that reads arguments', async () => {
  const script = `process.argv.splice(1, 1, 'clutch');
    require('node:module').registerHooks?.({ load(url, context, next) { process.stderr.write(url + '\\n'); return next(url, context); } });
    import(${JSON.stringify(CLI)});`;
  const { stderr } = await run(process.execPath, ['-e', script, 'clutch', '--help'], { cwd: ROOT });
  for (const url of stderr.split('\n').filter((line) => line.includes('/node_modules/'))) {
    assert.match(url, /node_modules\/commander\//);
  }
});

test('a command for a running app ends with exit code 3 where none runs', async (t) => {
  const { code, stderr } = await clutch(['status'], temporaryDirectory(t));
  assert.equal(code, 3);
  assert.match(stderr, /^ERR_CLUTCH_NOT_RUNNING: no app of Clutch is running here/);
});

test('the directory can follow the command where an optional action could stand', async (t) => {
  const base = temporaryDirectory(t);
  mkdirSync(path.join(base, 'shop'));
  for (const command of ['fleet', 'jobs']) {
    for (const [args, cwd] of [
      [['.'], path.join(base, 'shop')],
      [['shop'], base],
      [['./shop'], base],
      [[path.join(base, 'shop')], ROOT],
    ] as const) {
      const { code, stderr } = await clutch([command, ...args], cwd);
      assert.equal(code, 3, `${command} ${args}: ${stderr}`);
      assert.ok(stderr.includes(path.join(base, 'shop')), stderr);
    }
  }
});

test('docs/cli.md has the commands, their options and the exit codes as the code has them', async () => {
  const page = readFileSync(path.join(ROOT, 'docs/cli.md'), 'utf8');
  assert.ok(page.includes(await commandTable()), 'run `npm run docs`');
  assert.ok(page.includes(exitCodeTable()), 'run `npm run docs`');
});
