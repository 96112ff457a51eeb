import { replArguments } from '../../../cluster/index.js';
import { defineCommand } from '../../command.js';
import { assertApp } from '../../process/app_directory.js';
import { runNode } from '../../process/run_node.js';
import { typeScriptExecArgv } from '../../process/typescript.js';

export const command = defineCommand({
  description:
    'Agent and Application boot in one process without a server. At the prompt are `app`, `agent`, `ctx` and `service`, and `await` works.',
  options: {
    env: { argument: 'env', help: 'the server env; default local' },
    framework: { argument: 'name', help: 'default: egg.framework of package.json, else Clutch' },
  },
  examples: { repl: 'then `await service.user.find("1")`' },
  async run({ directory, options: { env, framework } }) {
    assertApp(directory);
    const args = [...typeScriptExecArgv(directory), ...replArguments({ baseDir: directory, framework })];
    const { NODE_ENV = 'development', EGG_SERVER_ENV = env } = process.env;
    process.exitCode = await runNode(args, {
      cwd: directory,
      env: { NODE_ENV, ...(EGG_SERVER_ENV ? { EGG_SERVER_ENV: env ?? EGG_SERVER_ENV } : {}) },
    });
  },
});
