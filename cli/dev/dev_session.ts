import { type ChildProcess, fork } from 'node:child_process';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { detect } from 'detect-port';
import type { StartClusterOptions } from '../../cluster/index.js';
import { toError } from '../../errors.js';
import type { PageError } from '../../output/error_page.js';
import { maskText } from '../../output/secrets.js';
import { clockTime } from '../../output/timestamp.js';
import { writeTypes } from '../commands/app/types.js';
import { typeScriptExecArgv } from '../process/typescript.js';
import { dim, failure, success, warning } from '../terminal/style.js';
import type { DevEvent, DevMasterOptions, ReplacedProcess, ShowError } from './dev_messages.js';
import { ErrorServer } from './error_server.js';
import { TypeCheck } from './type_check.js';
import { nextSave } from './watch_files.js';

const MASTER = fileURLToPath(new URL('dev_master.js', import.meta.url));
const PORT_TAKEN = /port (\d+) is already used by (.+) \(EADDRINUSE\)/;
const PAGE_PORT_TAKEN = /^the admin listener cannot use port \d+: listen EADDRINUSE/;
const DEFAULT_PORT = 7001;
/** Of the admin page; the next free one. */
const PAGE_PORT = 7900;

/** `waiting`: the boot has failed, and a save begins the next one. */
type DevState = 'booting' | 'serving' | 'waiting' | 'closing';

export interface DevOptions {
  directory: string;
  options: StartClusterOptions;
  /** Node options of Agent and app workers, such as `--inspect`. */
  execArgv: string[];
}

/** What `clutch dev` does: keeps a Master running, prints what it reports, and waits for a save when the app does not start. */
export class DevSession {
  readonly #directory: string;
  readonly #options: StartClusterOptions;
  readonly #execArgv: string[];
  readonly #isTypeScript: boolean;
  readonly #errors = new ErrorServer();
  readonly #types: TypeCheck;
  readonly #stop = new AbortController();
  #state: DevState = 'booting';
  #child: ChildProcess | undefined;
  #port: number | undefined;
  /** When the code that is served was loaded. */
  #version = '';
  #errorCount = 0;
  #hadTypeErrors = false;

  constructor({ directory, options, execArgv }: DevOptions) {
    this.#directory = directory;
    this.#options = options;
    this.#isTypeScript = existsSync(path.join(directory, 'tsconfig.json'));
    this.#execArgv = ['--enable-source-maps', ...execArgv, ...typeScriptExecArgv(directory)];
    this.#types = new TypeCheck(directory);
    this.#port = options.port === undefined ? undefined : Number(options.port);
  }

  /** Resolves when the session has ended: by a signal, or because its Master was asked to stop. */
  async run(): Promise<void> {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGQUIT'] as const) process.on(signal, () => this.#close(signal));
    while (this.#state !== 'closing') {
      this.#state = 'booting';
      const failed = await this.#serve();
      if (this.#isClosing) break;
      // Another session was faster; the next port is tried.
      if (failed && PAGE_PORT_TAKEN.test(failed) && !this.#options.admin) continue;
      if (failed && PORT_TAKEN.test(failed)) {
        if (await this.#takeOtherPort(failed)) continue;
        // Saves do not free a port.
        process.exitCode = 1;
        print(failed);
        break;
      }
      await this.#waitForSave(failed ?? 'the Master has ended');
    }
    await this.#errors.close();
  }

  /** Signals come at any time. */
  get #isClosing(): boolean {
    return (this.#state as DevState) === 'closing';
  }

  #close(signal: NodeJS.Signals): void {
    this.#state = 'closing';
    this.#stop.abort();
    this.#types.stop();
    this.#child?.kill(signal);
  }

  /** Runs one Master. @returns why it did not start, once it has ended */
  async #serve(): Promise<string | undefined> {
    const { admin } = this.#options;
    const adminPort = (admin ? admin.port : undefined) ?? (await detect(PAGE_PORT));
    const options: DevMasterOptions = {
      directory: this.#directory,
      options: {
        ...this.#options,
        ...(this.#port === undefined ? {} : { port: this.#port }),
        admin: { port: adminPort, page: true },
        execArgv: [...process.execArgv, ...this.#execArgv],
      },
    };
    const child = fork(MASTER, [JSON.stringify(options)], {
      env: { ...process.env, CLUTCH_DEV: '1' },
      execArgv: process.execArgv.filter((option) => !option.startsWith('--inspect')),
    });
    this.#child = child;
    let failed: string | undefined;
    child.on('message', (event: Partial<DevEvent>) => {
      // What Egg's Master sends to an IDE.
      const { action, data } = event as { action?: string; data?: { debugPort: number; pid: number } };
      if (action === 'debug' && data) void this.#printInspector(data.pid, data.debugPort);
      if (!('dev' in event)) return;
      if (event.dev === 'boot-failed') failed ??= event.text;
      else this.#onEvent(event as DevEvent);
    });
    const code = await new Promise<number | null>((resolve) => child.once('exit', resolve));
    this.#child = undefined;
    this.#types.stop();
    if (code === 0 && !this.#isClosing) {
      print(`${dim(clockTime())} stopped, as the Master was asked to`);
      this.#close('SIGTERM');
    }
    return failed;
  }

  #onEvent(event: DevEvent): void {
    switch (event.dev) {
      case 'ready':
        this.#state = 'serving';
        this.#version = clockTime();
        this.#port = Number(new URL(event.address).port) || this.#port;
        print(this.#block(event));
        void this.#checkTypes();
        break;
      case 'replaced': {
        this.#version = clockTime();
        // A reload during the boot may have ended before anyone knew the processes.
        const what = sentence(event.processes) || success('the new code is served');
        print(`${dim(this.#version)} ${this.#names(event.files)}: ${what} in ${event.milliseconds} ms`);
        this.#show(undefined);
        void this.#checkTypes();
        break;
      }
      case 'reload-failed':
        this.#types.stop();
        print(
          `${dim(clockTime())} ${this.#names(event.files)}: ${failure('the new code does not start')}\n${indented(event.text)}`,
        );
        print(`  still serving the version of ${this.#version}`);
        this.#show(
          this.#pageError(
            'The new code does not start',
            event.text,
            `The app still serves the version of ${this.#version}.`,
          ),
        );
        break;
      case 'log':
        print(`${dim(clockTime())} ${event.level === 'warn' ? warning(event.text) : failure(event.text)}`);
        break;
    }
  }

  async #printInspector(pid: number, port: number): Promise<void> {
    try {
      const response = await fetch(`http://127.0.0.1:${port}/json/list`);
      const [target] = (await response.json()) as { webSocketDebuggerUrl: string }[];
      print(`inspector of pid ${pid}: ${target?.webSocketDebuggerUrl} (chrome://inspect, or attach to port ${port})`);
    } catch {
      print(warning(`pid ${pid} has no inspector: port ${port} is used by another process`));
    }
  }

  #block({ address, page, milliseconds, routes, plugins, workers, agent }: DevEvent & { dev: 'ready' }): string {
    const rows = [
      `${path.basename(this.#directory)} started on ${success(address)} in ${milliseconds} ms`,
      `  ${count(routes, 'route')}, ${count(workers.length, 'app worker')} (pid ${workers.join(', ')}), Agent (pid ${agent})`,
      `  plugins on: ${plugins.join(', ') || 'none'}`,
      `  admin page: ${page}`,
      `  ${this.#isTypeScript ? 'types are checked after each save; ' : ''}Ctrl-C ends it`,
    ];
    return ['', ...rows, ''].join('\n');
  }

  #names(files: string[]): string {
    // Editors and sed write files of their own beside it, and rename them.
    const there = files.filter((file) => existsSync(file));
    const [first = '', ...more] = (there.length > 0 ? there : files).map((file) =>
      path.relative(this.#directory, file),
    );
    return more.length > 0 ? `${first} and ${more.length} more` : first;
  }

  #show(error: PageError | undefined): void {
    if (this.#child?.connected) this.#child.send({ showError: error } satisfies ShowError);
  }

  #pageError(title: string, text: string, note: string): PageError {
    this.#errorCount += 1;
    const id = `${process.pid}-${this.#errorCount}`;
    return {
      id,
      title,
      text: maskText(text),
      note: `${note} This page reloads after the next save.`,
      canContinue: this.#state === 'serving',
    };
  }

  /** Writes types anew and checks them; what is wrong comes late, and does not hold up the app. */
  async #checkTypes(): Promise<void> {
    if (!this.#isTypeScript) return;
    const begin = Date.now();
    try {
      await writeTypes(this.#directory);
      const errors = await this.#types.run();
      if (!errors || this.#state !== 'serving') return;
      if (errors.count > 0) {
        const took = ((Date.now() - begin) / 1000).toFixed(1);
        print(
          `${dim(clockTime())} ${failure(count(errors.count, 'type error'))} (${took} s)\n${indented(errors.text)}`,
        );
        this.#show(this.#pageError(`${count(errors.count, 'type error')}`, errors.text, 'The app runs.'));
      } else if (this.#hadTypeErrors) {
        print(`${dim(clockTime())} ${success('no type errors')}`);
        this.#show(undefined);
      }
      this.#hadTypeErrors = errors.count > 0;
    } catch (error) {
      print(`${dim(clockTime())} types could not be written: ${toError(error).message}`);
    }
  }

  /** @returns whether the boot failed because of a port that nobody has asked for, and another one is tried */
  async #takeOtherPort(failed: string): Promise<boolean> {
    const [, port, holder] = PORT_TAKEN.exec(failed) ?? [];
    if (port === undefined || this.#options.port !== undefined) return false;
    this.#port = await detect(Number(port) + 1);
    print(`port ${port} is used by ${holder}, taking ${this.#port}`);
    return true;
  }

  async #waitForSave(text: string): Promise<void> {
    this.#state = 'waiting';
    const wanted = this.#port ?? DEFAULT_PORT;
    const port = await detect(wanted);
    print(`${dim(clockTime())} ${failure('the app does not start')}\n${indented(text)}`);
    const error = this.#pageError('The app does not start', text, 'Nothing is served.');
    const isOpen = await this.#errors.open(port, error);
    print(`  waiting for a save${isOpen ? `; http://127.0.0.1:${port} shows the error` : ''}`);
    const saved = await Promise.race([nextSave(this.#directory, this.#stop.signal), aborted(this.#stop.signal)]);
    await this.#errors.close();
    if (!this.#isClosing) print(`${dim(clockTime())} ${saved} saved, starting`);
  }
}

function aborted(signal: AbortSignal): Promise<string> {
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve(''), { once: true }));
}

function print(text: string): void {
  console.log(maskText(text));
}

function sentence(processes: ReplacedProcess[]): string {
  const started = processes.filter(({ from }) => from === undefined).map(({ kind, to }) => `${kind} ${to}`);
  const replaced = processes.filter(({ from }) => from !== undefined);
  const parts = replaced.map(({ kind, from, to }) => `${kind} ${from} → ${to}`);
  return [
    ...(parts.length > 0 ? [`${success('replaced')} ${parts.join(', ')}`] : []),
    ...(started.length > 0 ? [`${success('started')} ${started.join(', ')}`] : []),
  ].join(', ');
}

function indented(text: string): string {
  return text.replace(/^/gm, '  ');
}

function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? '' : 's'}`;
}
