import { toError } from '../../errors.js';
import type { AdminSource } from './admin.js';
import { type Controlled, ControlServer } from './control_server.js';

interface ManagementParts extends Controlled {
  /** What the probes and metrics show. */
  report: AdminSource;
  baseDir: string;
  admin: { port: number; host: string } | undefined;
  log: Pick<Console, 'info' | 'error'>;
  /** Called when the admin listener cannot be bound. */
  onError(reason: string): void;
}

/** How a cluster is looked at and controlled from outside: the control socket, and the admin listener with option `admin`. */
export class Management {
  readonly #parts: ManagementParts;
  readonly #control: ControlServer;
  #admin: { address: string; close(): void } | undefined;
  #isOpen = false;
  /** Resolves when the admin listener is bound or has failed. */
  adminStarted = Promise.resolve();

  constructor(parts: ManagementParts) {
    this.#parts = parts;
    this.#control = new ControlServer(parts, parts.log);
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
      const { startAdmin } = await import('./admin.js');
      this.#admin = await startAdmin(admin, report);
      if (!this.#isOpen) this.#admin.close();
    } catch (error) {
      onError(`the admin listener cannot use port ${admin.port}: ${toError(error).message}`);
    }
  }

  close(): void {
    this.#isOpen = false;
    this.#control.close();
    this.#admin?.close();
  }
}
