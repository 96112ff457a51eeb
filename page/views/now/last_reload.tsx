import type { NowView } from '../../../cluster/admin/page_data.js';
import { formatMilliseconds } from '../../model/format.js';
import { Ago } from '../../parts/ago.js';
import { Badge } from '../../parts/badge.js';
import { Panel } from '../../parts/panel.js';

const OUTCOMES = {
  running: { tone: 'info', icon: 'reload', text: 'running' },
  done: { tone: 'good', icon: 'good', text: 'done' },
  failed: { tone: 'bad', icon: 'bad', text: 'failed' },
} as const;

export function LastReload({ reload }: { reload: NowView['lastReload'] }) {
  return (
    <Panel title="Last reload" about="New code, process by process: the new one is ready before the old one drains.">
      {reload ? (
        <>
          <p class="line">
            <Badge {...OUTCOMES[reload.outcome]} />
            <span>
              <Ago at={reload.at} />
              {reload.took !== undefined && `, took ${formatMilliseconds(reload.took)}`}
              {reload.asker && `, asked for by ${reload.asker}`}
            </span>
          </p>
          {reload.reason && <pre>{reload.reason}</pre>}
        </>
      ) : (
        <p class="line muted">There was none since the cluster started.</p>
      )}
    </Panel>
  );
}
