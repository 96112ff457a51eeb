import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import { CLI, temporaryDirectory, until } from '../support/apps.js';
import { noTerminal, openTerminal } from '../support/terminal.js';

function missing(shell: string): string | false {
  return spawnSync(shell, ['--version']).error ? `needs ${shell}` : false;
}

/** @returns the file of the script for a shell */
function scriptFor(t: TestContext, shell: string): string {
  const file = path.join(temporaryDirectory(t), `completion.${shell}`);
  writeFileSync(file, execFileSync(process.execPath, [CLI, 'completion', shell]));
  return file;
}

test('fish completes commands with their summaries, options and values', { skip: missing('fish') }, (t) => {
  const file = scriptFor(t, 'fish');
  const home = temporaryDirectory(t);
  const completed = (line: string): string[] => {
    const env = { ...process.env, HOME: home, XDG_CONFIG_HOME: home, XDG_DATA_HOME: home };
    const text = execFileSync('fish', ['-c', `source ${file}; complete -C '${line}'`], { encoding: 'utf8', env });
    return text.trim().split('\n');
  };
  assert.deepEqual(completed('clutch rou'), ['routes\tshow the routes in the order in which they match']);
  assert.ok(completed('clutch start --da').some((line) => line.startsWith('--daemon\t')));
  assert.ok(completed('clutch logs --level ').some((line) => line.startsWith('warn')));
  assert.ok(completed('clutch generate con').includes('controller'));
});

test('zsh completes commands, options and values as one types', { skip: missing('zsh') || noTerminal }, async (t) => {
  const file = scriptFor(t, 'zsh');
  const home = temporaryDirectory(t);
  writeFileSync(path.join(home, '.zshrc'), `autoload -Uz compinit && compinit -u -D\nsource ${file}\nPS1='ready> '\n`);
  const terminal = openTerminal(t, ['zsh', '-i'], { env: { HOME: home, ZDOTDIR: home, TERM: 'dumb' } });
  await until('the prompt is there', () => terminal.output().includes('ready> '));
  for (const [typed, completed] of [
    ['clutch rou', 'clutch routes'],
    ['clutch start --dae', 'clutch start --daemon'],
    ['clutch generate cont', 'clutch generate controller'],
  ] as const) {
    terminal.type(`${typed}\t`);
    await until(`${typed} is completed`, () => terminal.output().replaceAll('\u0007', '').includes(completed)).catch(
      () => assert.fail(JSON.stringify(terminal.output())),
    );
    terminal.type('\u0015');
  }
  terminal.type('exit\r');
  await terminal.ended;
});
