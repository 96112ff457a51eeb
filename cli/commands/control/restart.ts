import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { ClutchError } from '../../../errors.js';
import { defineCommand } from '../../command.js';
import { packageRoot } from '../../package_root.js';
import { runningApps } from '../../process/registry.js';
import { stopApp } from '../../process/stop.js';

export const command = defineCommand({
  description: `Stops the app and starts it as a daemon with the arguments that it was started with. Nothing is served meanwhile: new code is taken without
an interruption by \`clutch reload\`; a restart is for a new Clutch, new arguments of Node or a new environment.`,
  options: { timeout: { argument: 'ms', help: 'when the Master is killed if it has not ended; default 15000' } },
  examples: { restart: 'the app here' },
  async run({ directory, options: { timeout } }) {
    const app = runningApps().find((each) => each.directory === directory);
    if (!app) {
      throw new ClutchError('ERR_CLUTCH_NOT_RUNNING', 'no app that `clutch start` runs is here', {
        where: directory,
        fix: 'Start it with `clutch start --daemon`; `clutch list` shows those that run.',
      });
    }
    const pid = await stopApp(directory, timeout === undefined ? undefined : Number(timeout));
    console.log(`stopped, pid ${pid}`);
    const args = app.args.filter((arg) => arg !== '--daemon');
    const { status } = spawnSync(
      process.execPath,
      [...process.execArgv, path.join(packageRoot(), 'dist/cli/index.js'), 'start', ...args, '--daemon'],
      { cwd: app.cwd, stdio: 'inherit' },
    );
    process.exitCode = status ?? 1;
  },
});
