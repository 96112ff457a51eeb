import { setTimeout as sleep } from 'node:timers/promises';
import type { NowView, RoutesView } from '../../../cluster/admin/page_data.js';
import { readDeaths } from '../../../cluster/deaths/death_file.js';
import { askMaster } from '../../../cluster/index.js';
import { toError } from '../../../errors.js';
import { defineCommand } from '../../command.js';
import { Screen } from '../../terminal/screen.js';
import { extentOf, renderTop, snapshot, type TopData } from '../../top/render_top.js';
import { hasUnicode } from '../../top/sparkline.js';
import { afterKey, initialState, keysOf } from '../../top/top_state.js';

/** Milliseconds between two looks. */
const INTERVAL = 1000;
/** Seconds of history that rates need. */
const LEAST_POINTS = 3;

export const command = defineCommand({
  description: `Keys: p processes, r routes, d deaths; < > or the arrows sort by another column, i the other way round; h help; q quits. Where stdout is no
terminal, or with --once, everything is printed once.`,
  options: { once: { help: 'print a snapshot and end' } },
  examples: { top: 'the app here', 'top --once': 'for a mail or a ticket', 'top --json': 'for programs' },
  async run({ directory, options, json }) {
    if (options.once || json || !process.stdout.isTTY || !process.stdin.isTTY) return readWithRates(directory);
    await showLive(directory);
    return undefined;
  },
  print: (data) => (data ? snapshot(data, process.stdout.columns || 100, hasUnicode()) : ''),
});

async function read(directory: string): Promise<TopData> {
  const now = (await askMaster(directory, { command: 'view', name: 'now' })) as NowView;
  const routes = (await askMaster(directory, { command: 'view', name: 'routes' })) as RoutesView;
  return { now, routes, deaths: readDeaths(directory) };
}

/** The Master counts from the first look on. */
async function readWithRates(directory: string): Promise<TopData> {
  for (;;) {
    const data = await read(directory);
    if (data.now.history.length >= LEAST_POINTS) return data;
    await sleep(INTERVAL);
  }
}

/** Resolves when somebody has quit. */
async function showLive(directory: string): Promise<void> {
  let data: TopData | undefined = await read(directory);
  let problem: string | undefined;
  let state = initialState();
  const unicode = hasUnicode();
  const quit = new AbortController();
  const show = (): void => screen.show(renderTop(data, state, screen.size, { unicode, problem }));
  const screen = new Screen({
    onInput: (text) => {
      for (const key of keysOf(text)) {
        const next = afterKey(state, key, extentOf(data, state));
        if (next === 'quit') return quit.abort();
        state = next;
      }
      show();
    },
    onResize: show,
  });
  screen.open();
  try {
    while (!quit.signal.aborted) {
      show();
      await sleep(INTERVAL, undefined, { signal: quit.signal }).catch(() => undefined);
      if (quit.signal.aborted) break;
      try {
        data = await read(directory);
        problem = undefined;
      } catch (error) {
        // It may come back, after a restart or an upgrade.
        problem = toError(error).message.split('\n')[0];
      }
    }
  } finally {
    screen.close();
  }
}
