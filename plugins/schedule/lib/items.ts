import { existsSync, realpathSync } from 'node:fs';
import path from 'node:path';
import { ClutchError } from '../../../errors.js';
import type { Agent, Application } from '../../../framework/index.js';
import type { ScheduleItem, ScheduleOptions, ScheduleTask } from './types.js';

type Host = Application | Agent;

interface Subscriber {
  subscribe(...args: unknown[]): unknown;
}

interface ScheduleClass {
  new (ctx: unknown): Subscriber;
  schedule?: ScheduleOptions;
}

interface ScheduleObject {
  schedule?: ScheduleOptions;
  task?: ScheduleTask;
}

interface Directory {
  dir: string;
  /** Before the names of its schedules. */
  prefix: string;
}

/** @returns directories of schedules, in load order */
function directories({ loader, config }: Host): Directory[] {
  const units = loader
    .getLoadUnits()
    .map(({ path: dir, name }) => ({ dir: path.join(dir, 'app/schedule'), prefix: name ? `${name}/` : '' }));
  const { directory = [] } = config.schedule ?? {};
  return [...units, ...directory.map((dir) => ({ dir, prefix: '' }))];
}

/**
 * Loads the schedule files of every load unit and of `config.schedule.directory`, in the Agent and in workers alike.
 *
 * @returns schedules by real path
 * @throws {ClutchError} ERR_CLUTCH_CONFIG for a file that is no schedule, and what the loader throws
 */
export function loadItems(app: Host): Record<string, ScheduleItem> {
  const items: Record<string, ScheduleItem> = {};
  const initializer = (exports: unknown, { path: file }: { path: string }): unknown => {
    const key = realpathSync(file);
    items[key] = toItem(app, exports, key);
    return exports;
  };
  for (const { dir, prefix } of directories(app).filter((each) => existsSync(each.dir))) {
    const before = new Set(Object.keys(items));
    app.loader.loadToApp(dir, Symbol('schedules'), { call: false, override: true, initializer });
    const root = realpathSync(dir);
    for (const [key, item] of Object.entries(items)) {
      if (!before.has(key)) item.name = prefix + path.relative(root, key).slice(0, -path.extname(key).length);
    }
  }
  return items;
}

function toItem(app: Host, exports: unknown, key: string): ScheduleItem {
  let exported = exports;
  // A function that is no class gives what the file could have exported.
  if (typeof exported === 'function' && !isSubscription(exported)) exported = (exported as (app: Host) => unknown)(app);
  const { schedule, task } =
    typeof exported === 'function'
      ? fromClass(app, exported as ScheduleClass)
      : fromObject(app, exported as ScheduleObject);
  if (!isRecord(schedule) || typeof task !== 'function') {
    throw new ClutchError('ERR_CLUTCH_CONFIG', 'a schedule file must have "schedule" and "task" properties', {
      where: key,
      fix: 'Export { schedule, task }, or a class with a static schedule and a method subscribe.',
    });
  }
  const { env } = schedule;
  const isElsewhere = Array.isArray(env) && !env.includes(app.config.env);
  return { key, schedule: isElsewhere ? { ...schedule, disable: true } : schedule, task };
}

function isSubscription(exported: object): boolean {
  return 'schedule' in exported || typeof (exported as ScheduleClass).prototype?.subscribe === 'function';
}

function isRecord(value: unknown): value is ScheduleOptions {
  return typeof value === 'object' && value !== null;
}

// A task of Egg 3 may be a generator function.
function fromClass(app: Host, Class: ScheduleClass): Partial<ScheduleItem> {
  const hasMethod = typeof Class.prototype?.subscribe === 'function';
  return {
    schedule: Class.schedule,
    task: hasMethod
      ? (ctx, ...args) => {
          const subscriber = new Class(ctx);
          return app.toAsyncFunction(subscriber.subscribe).apply(subscriber, args);
        }
      : undefined,
  };
}

function fromObject(app: Host, exported: ScheduleObject | undefined | null): Partial<ScheduleItem> {
  const task = exported?.task;
  return {
    schedule: exported?.schedule,
    task: typeof task === 'function' ? app.toAsyncFunction(task).bind(exported) : undefined,
  };
}

/**
 * Finds a schedule by its name, its absolute path, or its path below `app/schedule` of the app or a directory of
 * `config.schedule.directory`; the extension may be left out.
 *
 * @throws {ClutchError} ERR_CLUTCH_NOT_FOUND with the names that there are
 */
export function findItem(app: Host, items: Record<string, ScheduleItem>, wanted: string): ScheduleItem {
  const all = Object.values(items);
  const named = all.find(({ key, name }) => name === wanted || key === wanted);
  if (named) return named;
  const roots = directories(app).filter(({ prefix }) => prefix === '');
  for (const { dir } of roots.reverse()) {
    const stem = withoutExtension(path.resolve(dir, wanted));
    const found = all.find(({ key }) => withoutExtension(key) === stem);
    if (found) return found;
  }
  throw new ClutchError('ERR_CLUTCH_NOT_FOUND', `Cannot find schedule ${wanted}`, {
    fix: `There are: ${all.map(({ key, name }) => name ?? key).join(', ') || 'none'}.`,
  });
}

function withoutExtension(file: string): string {
  return file.replace(/\.[cm]?[jt]s$/, '');
}
