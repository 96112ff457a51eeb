import type { NowPoint, NowView, ViewName } from '../../cluster/admin/page_data.js';
import { count, formatMilliseconds, formatNumber } from './format.js';

export type Tone = 'good' | 'info' | 'warning' | 'bad';

/** One thing that is not as it should be. */
interface Finding {
  tone: Exclude<Tone, 'good'>;
  text: string;
  /** Where more is to be seen. */
  view?: ViewName;
}

/** Whether the cluster is well. */
export interface Verdict {
  tone: Tone;
  title: string;
  /** What it does at this moment. */
  summary: string;
  findings: Finding[];
}

/** Milliseconds: an event loop that is late by more makes each request slower by as much. */
const LATE_LOOP = 100;
/** Seconds after which the replacement of a process is no news. */
const NEWS = 300;
/** Share of responses with status 5xx. */
const MANY_ERRORS = 0.01;

const TITLES: Record<Tone, string> = {
  good: 'All is well',
  info: 'Well, and something is going on',
  warning: 'Running, but look at this',
  bad: 'Something is wrong',
};
const ORDER: Tone[] = ['good', 'info', 'warning', 'bad'];

export function verdictOf(view: NowView): Verdict {
  const findings = [...stateOf(view), ...processesOf(view), ...trafficOf(view.history), ...reloadOf(view)];
  findings.sort((a, b) => ORDER.indexOf(b.tone) - ORDER.indexOf(a.tone));
  const tone = findings[0]?.tone ?? 'good';
  return { tone, title: TITLES[tone], summary: summaryOf(view), findings };
}

function summaryOf({ cluster, history }: NowView): string {
  const ready = readyWorkers(cluster).length;
  const last = history.at(-1);
  const serving = `${count(ready, 'worker')} ${ready === 1 ? 'serves' : 'serve'}`;
  if (!last) return `${serving} on ${cluster.address}`;
  const latency = last.p99 === undefined ? '' : `, 99 of 100 within ${formatMilliseconds(last.p99)}`;
  return `${serving} ${count(last.requests, 'request')} a second${latency}`;
}

function readyWorkers({ processes }: NowView['cluster']): NowView['cluster']['processes'] {
  return processes.filter(({ kind, state }) => kind === 'app worker' && state === 'ready');
}

function stateOf({ cluster }: NowView): Finding[] {
  const { state, workers } = cluster;
  if (state === 'starting') return [{ tone: 'info', text: 'The cluster is starting', view: 'boot' }];
  if (state !== 'ready') return [{ tone: 'bad', text: `The cluster is ${state}`, view: 'logs' }];
  const ready = readyWorkers(cluster).length;
  if (ready >= workers) return [];
  return [
    {
      tone: ready === 0 ? 'bad' : 'warning',
      text: `${ready} of ${count(workers, 'worker')} ${ready === 1 ? 'is' : 'are'} ready`,
    },
  ];
}

function processesOf({ cluster: { processes } }: NowView): Finding[] {
  return processes.flatMap((each): Finding[] => {
    const name = nameOf(each);
    const { state, attempt, lastExit = 'it ended', restarts, uptime, loopP99 = 0 } = each;
    if (state === 'backoff') {
      return [
        { tone: 'bad', text: `${name} crashes again and again (attempt ${attempt}): ${lastExit}`, view: 'deaths' },
      ];
    }
    const found: Finding[] = [];
    if (restarts > 0 && uptime < NEWS && each.lastExit && !/reload|replaced|upgrade/.test(each.lastExit)) {
      found.push({ tone: 'warning', text: `${name} was replaced: ${each.lastExit}`, view: 'deaths' });
    }
    if (state === 'ready' && loopP99 > LATE_LOOP) {
      found.push({
        tone: 'warning',
        text: `The event loop of ${nameOf(each, true)} is late by ${formatMilliseconds(loopP99)}`,
      });
    }
    return found;
  });
}

function trafficOf(history: NowPoint[]): Finding[] {
  const minute = history.slice(-60);
  const sum = (field: 'requests' | 'errors'): number => minute.reduce((total, point) => total + point[field], 0);
  const [requests, errors] = [sum('requests'), sum('errors')];
  if (errors === 0) return [];
  const tone = errors > requests * MANY_ERRORS ? 'bad' : 'warning';
  return [
    {
      tone,
      text: `${count(errors, 'response')} with status 5xx in the last minute, of ${formatNumber(requests)}`,
      view: 'routes',
    },
  ];
}

function reloadOf({ lastReload }: NowView): Finding[] {
  if (lastReload?.outcome === 'running') return [{ tone: 'info', text: 'A reload is replacing the processes' }];
  if (lastReload?.outcome !== 'failed') return [];
  const reason = lastReload.reason ? `: ${lastReload.reason.split('\n')[0]}` : '';
  return [{ tone: 'warning', text: `The last reload failed, the old code goes on${reason}`, view: 'logs' }];
}

/** @returns `Master`, `Agent`, `Worker 2`, with the number of the slot, as `clutch status` has it */
export function nameOf({ kind, slot }: { kind: string; slot?: number }, inSentence = false): string {
  if (kind === 'master') return inSentence ? 'the Master' : 'Master';
  if (kind === 'agent') return inSentence ? 'the Agent' : 'Agent';
  return `${inSentence ? 'w' : 'W'}orker${slot === undefined ? '' : ` ${slot}`}`;
}
