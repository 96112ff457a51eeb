import { readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { type Loader, type TimingItem, toDumpable } from '../../../loader/index.js';
import { makeDirectory } from '../../../output/make_directory.js';
import type { Masker } from '../../../output/secrets.js';

/** Timelines of a type that are kept: a night of restarts must not fill the disk. */
const KEPT_TIMELINES = 50;

interface Dumped {
  type: string;
  loader: Loader;
  timing: { toJSON(): TimingItem[] };
  config: Record<string, unknown>;
}

/**
 * Writes what an application was loaded from to `config.rundir`: config with plugins, the file behind each leaf,
 * and the boot timeline as JSON and as a trace for chrome://tracing. Secrets are masked.
 */
export function writeRunFiles(app: Dumped): void {
  const { type, loader } = app;
  const write = (name: string, content: unknown): void => writeJson(path.join(dir, name), content);
  const dir = app.config['rundir'] as string;
  makeDirectory(dir);
  const { appInfo, allPlugins: plugins } = loader;
  const dumped = Object.entries({ config: app.config, plugins, appInfo }).map(([key, value]) => [
    key,
    toDumpable(value, loader.masker),
  ]);
  write(`${type}_config.json`, Object.fromEntries(dumped));
  write(`${type}_config_meta.json`, maskKeys(loader.configMeta, loader.masker));
  write(`${type}_config_sources.json`, loader.explainConfig());
  writeTimeline(app);
}

/** @returns config with plugins and app info, and the file behind each leaf; secrets are masked */
export function configToObject({ config, loader }: Dumped): { config: unknown; meta: object } {
  const { appInfo, allPlugins: plugins, configMeta, masker } = loader;
  return { config: toDumpable({ config, plugins, appInfo }, masker), meta: maskKeys(configMeta, masker) };
}

/** The values are names of files; a key can be a URL. */
function maskKeys(meta: object, masker: Masker): object {
  const entries = Object.entries(meta).map(([key, below]) => [
    masker.maskText(key),
    typeof below === 'object' ? maskKeys(below, masker) : below,
  ]);
  return Object.fromEntries(entries);
}

/** Readable by the user of the process only. */
export function writeJson(file: string, content: unknown): void {
  writeFileSync(file, JSON.stringify(content, null, 2), { mode: 0o600 });
}

/** Writes the boot timeline alone; file names hold the pid, since each process has its own. */
export function writeTimeline({ type, timing, config }: Dumped): void {
  const dir = config['rundir'] as string;
  makeDirectory(dir);
  const items = timing.toJSON();
  const write = (name: string, content: unknown): void =>
    writeJson(path.join(dir, `${type}_${name}_${process.pid}.json`), content);
  write('timing', items);
  write('trace', { traceEvents: items.map((item) => traceEvent(item, type)) });
  for (const name of ['timing', 'trace']) removeOldest(dir, `${type}_${name}_`);
}

/** Processes that start at the same time may remove the same file. */
function removeOldest(dir: string, prefix: string): void {
  const files = readdirSync(dir).filter((name) => name.startsWith(prefix));
  if (files.length <= KEPT_TIMELINES) return;
  files
    .map((name) => path.join(dir, name))
    .map((file) => ({ file, time: statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? 0 }))
    .sort((a, b) => b.time - a.time)
    .slice(KEPT_TIMELINES)
    .forEach(({ file }) => {
      rmSync(file, { force: true });
    });
}

/** Times of the trace format are in microseconds; an item that has not ended is drawn as an instant. */
function traceEvent({ name, start, duration, pid }: TimingItem, type: string): object {
  const common = { name, cat: type, pid, tid: 1, ts: start * 1000 };
  return duration === undefined ? { ...common, ph: 'i', s: 'p' } : { ...common, ph: 'X', dur: duration * 1000 };
}
