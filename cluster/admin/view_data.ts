import { statSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import type { DeathRecord } from '../../ipc/death_record.js';
import { readPackageIfExists } from '../../resolve/package.js';
import { readDeaths } from '../deaths/death_file.js';
import { dumpedLogDirectory } from '../logs/log_files.js';
import { RouteRates } from '../metrics/route_rates.js';
import { AgentViews } from './agent_views.js';
import { AppReport } from './app_report.js';
import { type ConfigRow, type PluginRow, toConfigView, toPluginViews } from './app_views.js';
import { BootViews } from './boot_view.js';
import { History } from './history.js';
import { LogView } from './log_view.js';
import type { MessagesView, NowView, ViewName, Views } from './page_data.js';
import type { PageSource } from './page_source.js';

const CLUTCH = fileURLToPath(new URL('../../..', import.meta.url));

type Readers = { [Name in ViewName]: () => Views[Name] | Promise<Views[Name]> };

/** One for all who look, closed when nobody does. */
export interface SharedViewData {
  use(): Promise<ViewData>;
}

/** Reads the data of each view. A view whose source is missing is empty. */
export class ViewData {
  readonly #source: PageSource;
  readonly #isReadOnly: boolean;
  readonly #report: AppReport;
  readonly #agent: AgentViews;
  readonly #boots: BootViews;
  readonly logs: LogView;
  readonly #history = new History();
  readonly #rates: RouteRates;
  readonly #timer: NodeJS.Timeout;
  readonly #names: Pick<NowView['app'], 'name' | 'version' | 'clutch'>;
  #deaths: { modified: number; records: DeathRecord[] } = { modified: 0, records: [] };

  readonly #readers: Readers = {
    now: () => this.#now(),
    routes: () => ({ routes: this.#rates.rows(), slowest: [...this.#source.report.slowRequests.look()] }),
    deaths: () => this.#readDeaths(),
    boot: async () => {
      const { cluster, baseDir } = this.#source;
      const rundir = (await this.#report.text('rundir')) ?? path.join(baseDir, 'run');
      return this.#boots.of(cluster.status().processes, rundir);
    },
    config: async () => {
      const toView = (rows: ConfigRow[]) => toConfigView(rows, this.#source.baseDir);
      return (await this.#report.ask('config', toView)) ?? { leaves: [] };
    },
    plugins: async () => {
      const toView = (rows: PluginRow[]) => toPluginViews(rows, this.#source.baseDir);
      return (await this.#report.ask('plugins', toView)) ?? [];
    },
    messages: () => this.#messages(),
    schedule: () => this.#agent.schedule(),
    logs: () => this.logs.read(),
    fleet: () => this.#agent.fleet(),
  };

  constructor(source: PageSource, { readOnly }: { readOnly: boolean }) {
    this.#source = source;
    this.#isReadOnly = readOnly;
    this.#report = new AppReport(source);
    this.#agent = new AgentViews(source);
    this.#rates = new RouteRates(() => source.report.routes());
    this.#boots = new BootViews(source.baseDir);
    this.logs = new LogView({
      directory: async () => (await this.#report.text('logger.dir')) ?? dumpedLogDirectory(source.baseDir),
      masterLines: () => source.masterLines(),
    });
    const { name = path.basename(source.baseDir), version = '' } = readPackageIfExists(source.baseDir) ?? {};
    this.#names = { name, version, clutch: readPackageIfExists(CLUTCH)?.version ?? '' };
    this.#addPoint();
    this.#timer = setInterval(() => this.#addPoint(), 1000).unref();
  }

  #addPoint(): void {
    const { report, cluster } = this.#source;
    const memory = cluster.status().processes.reduce((sum, process) => sum + (process.memory ?? 0), 0);
    this.#history.add(report.heartbeats(), memory);
    this.#rates.tick();
  }

  /** Whether there is a view of this name. */
  has(name: string): name is ViewName {
    return Object.hasOwn(this.#readers, name);
  }

  get names(): string[] {
    return Object.keys(this.#readers);
  }

  /** @returns the same object as before if nothing has changed that is known to be costly to compare */
  async read<Name extends ViewName>(name: Name): Promise<Views[Name]> {
    return this.#readers[name]();
  }

  /** Calls `listener` when a process ends, starts or becomes ready. @returns what stops that */
  onChange(listener: () => void): () => void {
    return this.#source.report.onChange(listener);
  }

  async #now(): Promise<NowView> {
    const { lastReload, ...cluster } = this.#source.cluster.status();
    return {
      cluster,
      app: {
        ...this.#names,
        env: (await this.#report.text('env')) ?? '',
        node: process.version,
        pid: process.pid,
      },
      readOnly: this.#isReadOnly,
      history: this.#history.points,
      latency: this.#history.latency,
      ...(lastReload ? { lastReload } : {}),
    };
  }

  #readDeaths(): DeathRecord[] {
    const { baseDir } = this.#source;
    const modified = statSync(path.join(baseDir, 'run/deaths.json'), { throwIfNoEntry: false })?.mtimeMs ?? 0;
    if (modified !== this.#deaths.modified) {
      try {
        this.#deaths = { modified, records: modified === 0 ? [] : readDeaths(baseDir) };
      } catch {
        // The Master warns when it cannot read its file, and writes it anew with the next death.
        this.#deaths.modified = modified;
      }
    }
    return this.#deaths.records;
  }

  /** With those that processes have dropped, which pass through no relay. */
  #messages(): MessagesView {
    const { cluster, report } = this.#source;
    const { processes } = cluster.status();
    const undelivered = processes.reduce((sum, { undeliveredMessages = 0 }) => sum + undeliveredMessages, 0);
    return { ...report.messages.view(), undelivered };
  }

  close(): void {
    clearInterval(this.#timer);
    this.logs.close();
  }
}
