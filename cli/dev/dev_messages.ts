import type { StartClusterOptions } from '../../cluster/index.js';
import type { PageError } from '../../output/error_page.js';

/** What the process with the Master of `clutch dev` gets as its argument. */
export interface DevMasterOptions {
  directory: string;
  options: StartClusterOptions;
}

export interface ReplacedProcess {
  kind: 'Agent' | 'app worker';
  /** Undefined if none ran, since the one before had crashed. */
  from: number | undefined;
  to: number;
}

/** What that process reports to `clutch dev`. */
export type DevEvent =
  | {
      dev: 'ready';
      address: string;
      /** Where the admin page is. */
      page: string | undefined;
      milliseconds: number;
      routes: number;
      plugins: string[];
      workers: number[];
      agent: number;
    }
  /** No process of the old version is left. */
  | { dev: 'replaced'; files: string[]; milliseconds: number; processes: ReplacedProcess[] }
  | { dev: 'reload-failed'; files: string[]; text: string }
  /** The boot has failed; the process ends. */
  | { dev: 'boot-failed'; text: string }
  | { dev: 'log'; level: 'warn' | 'error'; text: string };

/** What `clutch dev` sends to it: the error that pages show from now on. */
export interface ShowError {
  showError: PageError | undefined;
}
