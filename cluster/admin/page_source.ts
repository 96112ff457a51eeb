import type { ClusterReport } from '../control/cluster_report.js';
import type { ClusterStatus } from '../control/status.js';
import type { ProfileRequest, TakenProfile } from '../profile/profiles.js';

/** What the Master has printed. */
export interface MasterLine {
  /** Counts them, from 1. */
  number: number;
  /** Milliseconds since the epoch. */
  at: number;
  level: 'INFO' | 'WARN' | 'ERROR';
  text: string;
}

/** What the page needs of the Master. */
export interface PageSource {
  readonly report: ClusterReport;
  readonly baseDir: string;
  readonly log: Pick<Console, 'info' | 'error'>;
  /** The last that it has printed, the newest last. */
  masterLines(): readonly MasterLine[];
  readonly profiles: { take(request: ProfileRequest): Promise<TakenProfile> };
  readonly cluster: {
    status(): ClusterStatus;
    readonly messenger: {
      request(
        target: 'agent' | 'app' | number,
        action: string,
        data: unknown,
        options: { timeout: number },
      ): Promise<unknown>;
    };
  };
  readonly operations: {
    reload(options: { asker: string }): Promise<void>;
    restart(pid: number, asker: string): Promise<void>;
    scale(workers: number, asker: string): Promise<void>;
  };
}
