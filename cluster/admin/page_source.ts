import type { ClusterReport } from '../control/cluster_report.js';
import type { ClusterStatus } from '../control/status.js';

/** What the page needs of the Master. */
export interface PageSource {
  readonly report: ClusterReport;
  readonly baseDir: string;
  readonly log: Pick<Console, 'error'>;
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
