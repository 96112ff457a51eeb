import { toError } from '../../errors.js';
import type { Admin } from '../admin/http/admin.js';
import type { PageSource } from '../admin/page_source.js';
import type { ViewData } from '../admin/view_data.js';
import type { ClusterReport } from '../control/cluster_report.js';
import { ControlServer } from '../control/control_server.js';
import type { AdminListener } from '../options/admin_options.js';

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
  /** For `clutch top`. */
  #views: Promise<ViewData> | undefined;
  #viewTimer: NodeJS.Timeout | undefined;
  /** Resolves when the admin listener is bound or has failed. */
  adminStarted = Promise.resolve();

  constructor(parts: ManagementParts) {
    this.#parts = parts;
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
    return new Page(admin, this.#parts);
  }

  /** What views need is loaded, and the history is kept, while somebody looks. */
  async #read(name: string): Promise<unknown> {
    this.#views ??= import('../admin/view_data.js').then(
      ({ ViewData }) => new ViewData(this.#parts, { readOnly: true }),
    );
    if (this.#viewTimer) this.#viewTimer.refresh();
    else this.#viewTimer = setTimeout(() => this.#closeViews(), VIEW_TIME).unref();
    const views = await this.#views;
    if (!views.has(name)) throw new Error(`there is no view ${name}, but ${views.names.join(', ')}`);
    return views.read(name);
  }

  #closeViews(): void {
    void this.#views?.then((views) => views.close());
    this.#views = undefined;
    clearTimeout(this.#viewTimer);
    this.#viewTimer = undefined;
  }

  close(): void {
    this.#isOpen = false;
    this.#closeViews();
    this.#control.close();
    this.#admin?.close();
  }
}
