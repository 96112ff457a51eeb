import { toError } from '../../errors.js';
import type { Admin } from '../admin/http/admin.js';
import type { PageSource } from '../admin/page_source.js';
import type { ViewData } from '../admin/view_data.js';
import type { ClusterReport } from '../control/cluster_report.js';
import { ControlServer } from '../control/control_server.js';
import type { AdminListener } from '../options/admin_options.js';
import { Lapsing } from './lapsing.js';

type Controlled = Omit<ConstructorParameters<typeof ControlServer>[0], 'view'>;

/** Milliseconds after the last look. */
const VIEW_TIME = 30_000;

interface ManagementParts extends Controlled {
  cluster: Controlled['cluster'] & PageSource['cluster'];
  operations: Controlled['operations'] & PageSource['operations'];
  masterLines: PageSource['masterLines'];
  report: ClusterReport;
  baseDir: string;
  admin: AdminListener | undefined;
  log: Pick<Console, 'info' | 'error'>;
  /** Called when the admin listener cannot be bound. */
  onError(reason: string): void;
}

/** How a cluster is looked at and controlled from outside: the control socket, and the admin listener with option `admin`. */
export class Management {
  readonly #parts: ManagementParts;
  readonly #control: ControlServer;
  #admin: Admin | undefined;
  #isOpen = false;
  /** For the page and `clutch top`: the history is kept while somebody looks. */
  readonly #views: Lapsing<ViewData>;
  /** Resolves when the admin listener is bound or has failed. */
  adminStarted = Promise.resolve();

  constructor(parts: ManagementParts) {
    this.#parts = parts;
    this.#views = new Lapsing(async () => {
      const { ViewData } = await import('../admin/view_data.js');
      return new ViewData(parts, { readOnly: parts.admin?.readOnly ?? true });
    }, VIEW_TIME);
    this.#control = new ControlServer({ ...parts, view: (name) => this.#read(name) }, parts.log);
  }

  get adminAddress(): string | undefined {
    return this.#admin?.address;
  }

  /** Resolves when both are open; never rejects. */
  async open(): Promise<void> {
    this.#isOpen = true;
    this.adminStarted = this.#startAdmin();
    await Promise.all([this.#control.open(this.#parts.baseDir), this.adminStarted]);
  }

  async #startAdmin(): Promise<void> {
    const { admin, report, onError } = this.#parts;
    if (!admin) return;
    try {
      const { startAdmin } = await import('../admin/http/admin.js');
      this.#admin = await startAdmin(admin, report, admin.page ? () => this.#loadPage(admin) : undefined);
      if (!this.#isOpen) this.#admin.close();
      else if (admin.page) this.#parts.log.info(`the admin page is on ${this.#admin.address}`);
    } catch (error) {
      const where = 'path' in admin.listen ? admin.listen.path : `port ${admin.listen.port}`;
      onError(`the admin listener cannot use ${where}: ${toError(error).message}`);
    }
  }

  async #loadPage(admin: AdminListener) {
    const { Page } = await import('../admin/http/page.js');
    return new Page(admin, this.#parts, this.#views);
  }

  async #read(name: string): Promise<unknown> {
    const views = await this.#views.use();
    if (!views.has(name)) throw new Error(`there is no view ${name}, but ${views.names.join(', ')}`);
    return views.read(name);
  }

  close(): void {
    this.#isOpen = false;
    this.#views.close();
    this.#control.close();
    this.#admin?.close();
  }
}
