#!/usr/bin/env node
import { ClutchError, toError } from '../errors.js';
import { maskText } from '../output/secrets.js';

interface Command {
  summary: string;
  load(): Promise<{ run(args: string[]): Promise<void> }>;
}

const COMMANDS: Record<string, Command> = {
  init: { summary: 'make a new app in a directory', load: () => import('./commands/init.js') },
  dev: { summary: 'run the app for development, reloading on change', load: () => import('./commands/dev.js') },
  start: { summary: 'run the app in production', load: () => import('./commands/start.js') },
  status: {
    summary: 'tell what each process of the running app is doing',
    load: () => import('./commands/control/status.js'),
  },
  reload: {
    summary: 'replace all processes without an interruption',
    load: () => import('./commands/control/reload.js'),
  },
  workers: { summary: 'change the number of app workers', load: () => import('./commands/control/workers.js') },
  schedule: {
    summary: 'list the schedules of the running app, or run one',
    load: () => import('./commands/control/schedule.js'),
  },
  stop: { summary: 'stop the running app', load: () => import('./commands/control/stop.js') },
  config: { summary: 'tell each config value and the files that set it', load: () => import('./commands/config.js') },
  plugins: {
    summary: 'tell which plugins are on, why, and in what order',
    load: () => import('./commands/plugins.js'),
  },
  middleware: { summary: 'tell the middleware in order', load: () => import('./commands/middleware.js') },
  types: { summary: 'write typings/ for services, config and more', load: () => import('./commands/types.js') },
  routes: { summary: 'tell the routes in order', load: () => import('./commands/routes.js') },
};

function help(): string {
  const rows = Object.entries(COMMANDS).map(([name, { summary }]) => `  ${name.padEnd(12)}${summary}`);
  return [
    'Usage: clutch <command> [directory] [options]',
    '',
    ...rows,
    '',
    'clutch <command> --help tells its options.',
  ].join('\n');
}

async function main([name, ...args]: string[]): Promise<void> {
  if (name === undefined || name === 'help' || name === '--help' || name === '-h') {
    console.log(help());
    return;
  }
  const command = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
  if (!command) throw new ClutchError('ERR_CLUTCH_CLI', `there is no command "${name}"`, { fix: help() });
  const { run } = await command.load();
  await run(args);
}

main(process.argv.slice(2)).catch((error: unknown) => {
  const { message, stack } = toError(error);
  // Errors of Clutch are written for the reader; the stack of anything else is what one can go by.
  console.error(maskText(String(error instanceof ClutchError ? message : stack)));
  process.exit(1);
});
