import type { Command } from './command.js';

interface Entry {
  group: 'Develop' | 'Run' | 'Explain' | 'More';
  summary: string;
  load(): Promise<{ command: Command }>;
}

/** Every command, in the order of `clutch --help`; `command.ts` says how to add one. */
export const COMMANDS = {
  init: {
    group: 'Develop',
    summary: 'make a new app in a directory',
    load: () => import('./commands/app/init.js'),
  },
  dev: {
    group: 'Develop',
    summary: 'run the app for development, replacing processes on change',
    load: () => import('./commands/run/dev.js'),
  },
  types: {
    group: 'Develop',
    summary: 'write typings/ for services, config and more',
    load: () => import('./commands/app/types.js'),
  },
  start: { group: 'Run', summary: 'run the app in production', load: () => import('./commands/run/start.js') },
  stop: { group: 'Run', summary: 'stop the running app', load: () => import('./commands/control/stop.js') },
  reload: {
    group: 'Run',
    summary: 'replace all processes without an interruption',
    load: () => import('./commands/control/reload.js'),
  },
  status: {
    group: 'Run',
    summary: 'show what each process of the running app is doing',
    load: () => import('./commands/control/status.js'),
  },
  workers: {
    group: 'Run',
    summary: 'change the number of app workers',
    load: () => import('./commands/control/workers.js'),
  },
  schedule: {
    group: 'Run',
    summary: 'list the schedules of the running app, or run one',
    load: () => import('./commands/control/schedule.js'),
  },
  config: {
    group: 'Explain',
    summary: 'show each config value and the file that set it',
    load: () => import('./commands/explain/config.js'),
  },
  plugins: {
    group: 'Explain',
    summary: 'show which plugins are on, why, and in what order',
    load: () => import('./commands/explain/plugins.js'),
  },
  middleware: {
    group: 'Explain',
    summary: 'show the middleware of every request, in order',
    load: () => import('./commands/explain/middleware.js'),
  },
  routes: {
    group: 'Explain',
    summary: 'show the routes in the order in which they match',
    load: () => import('./commands/explain/routes.js'),
  },
} satisfies Record<string, Entry> as Readonly<Record<string, Entry>>;
