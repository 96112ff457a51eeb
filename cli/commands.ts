import type { CommandEntry } from './command.js';

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
  debug: {
    group: 'Develop',
    summary: 'run it for development with an inspector in each process',
    load: () => import('./commands/run/debug.js'),
  },
  test: {
    group: 'Develop',
    summary: 'run the tests of the app',
    load: () => import('./commands/run/test.js'),
  },
  build: {
    group: 'Develop',
    summary: 'compile the app',
    load: () => import('./commands/app/build.js'),
  },
  types: {
    group: 'Develop',
    summary: 'write typings/ for services, config and more',
    load: () => import('./commands/app/types.js'),
  },
  generate: {
    group: 'Develop',
    summary: 'make a controller, service, plugin, schedule, job, middleware or test',
    load: () => import('./commands/app/generate.js'),
  },
  repl: {
    group: 'Develop',
    summary: 'open a prompt inside the booted app',
    load: () => import('./commands/run/repl.js'),
  },
  start: { group: 'Run', summary: 'run the app in production', load: () => import('./commands/run/start.js') },
  stop: { group: 'Run', summary: 'stop the running app', load: () => import('./commands/control/stop.js') },
  restart: {
    group: 'Run',
    summary: 'stop the running app and start it again',
    load: () => import('./commands/control/restart.js'),
  },
  reload: {
    group: 'Run',
    summary: 'replace all processes without an interruption',
    load: () => import('./commands/control/reload.js'),
  },
  upgrade: {
    group: 'Run',
    summary: 'replace the Master too, without closing the port',
    load: () => import('./commands/control/upgrade.js'),
  },
  status: {
    group: 'Run',
    summary: 'show what each process of the running app is doing',
    load: () => import('./commands/observe/status.js'),
  },
  top: {
    group: 'Run',
    summary: 'watch the running app live in the terminal',
    load: () => import('./commands/observe/top.js'),
  },
  list: {
    group: 'Run',
    summary: 'list the running apps',
    load: () => import('./commands/observe/list.js'),
  },
  logs: {
    group: 'Run',
    summary: 'print the logs of the app',
    load: () => import('./commands/observe/logs.js'),
  },
  deaths: {
    group: 'Run',
    summary: 'show which processes have ended, and why',
    load: () => import('./commands/observe/deaths.js'),
  },
  profile: {
    group: 'Run',
    summary: 'record where a process spends its time or memory',
    load: () => import('./commands/observe/profile.js'),
  },
  trace: {
    group: 'Run',
    summary: 'show where slow requests of a process spend their time',
    load: () => import('./commands/observe/trace.js'),
  },
  workers: {
    group: 'Run',
    summary: 'change the number of app workers',
    load: () => import('./commands/control/workers.js'),
  },
  set: {
    group: 'Run',
    summary: 'change an option of the running app',
    load: () => import('./commands/control/set.js'),
  },
  schedule: {
    group: 'Run',
    summary: 'list the schedules of the running app, or run one',
    load: () => import('./commands/control/schedule.js'),
  },
  jobs: {
    group: 'Run',
    summary: 'list the jobs of the running app, run failed ones again, pause',
    load: () => import('./commands/control/jobs.js'),
  },
  fleet: {
    group: 'Run',
    summary: 'show, reload and compare the machines of the fleet',
    load: () => import('./commands/observe/fleet.js'),
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
  boot: {
    group: 'Explain',
    summary: 'show what the last boot waited for',
    load: () => import('./commands/explain/boot.js'),
  },
  doctor: {
    group: 'Explain',
    summary: 'find what is wrong with the app or what it runs on',
    load: () => import('./commands/explain/doctor.js'),
  },
  completion: {
    group: 'More',
    summary: 'print a script that completes commands in a shell',
    load: () => import('./commands/app/completion.js'),
  },
} satisfies Record<string, CommandEntry> as Readonly<Record<string, CommandEntry>>;
