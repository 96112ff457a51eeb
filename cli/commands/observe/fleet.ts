import { defineCommand } from '../../command.js';
import { type FleetReport, fleetOf } from '../../fleet/ask.js';
import { type ConfigComparison, compareConfig, formatComparison } from '../../fleet/config.js';
import { type FleetHistory, formatHistory, readHistory } from '../../fleet/history.js';
import { formatReload, type ReloadOutcome, reloadFleet } from '../../fleet/reload.js';
import { formatStatus, readStatus } from '../../fleet/status.js';
import { usageError } from '../../usage_error.js';

export const command = defineCommand({
  description: `Asks the running app here, with plugin \`fleet\`. \`reload\` replaces the processes of one machine after the other, each as
\`clutch reload\` does, and goes on only when the machine is ready and its share of responses with status 5xx holds; otherwise it
stops, says why, and leaves the rest as it is.`,
  arguments: [
    {
      name: 'action',
      help: 'the machines; reload them one by one; config values that differ; runs of schedules by machine',
      choices: ['status', 'reload', 'config', 'history'],
      optional: true,
    },
  ],
  options: {
    'max-errors': {
      argument: 'percent',
      help: 'reload: points by which the share of 5xx of a machine may grow; default 1',
    },
    wait: {
      argument: 'seconds',
      help: 'reload: how long errors are counted before the first machine and after each; default 10',
    },
  },
  examples: {
    fleet: 'the machines of the fleet that the app here belongs to, as `fleet status`',
    'fleet reload --wait 30': 'after new code has been copied to all machines',
    'fleet config': 'values that are not the same on all machines; secrets as hashes',
    'fleet history --json': 'for programs',
  },
  async run({ directory, args: [action = 'status'], options, json }) {
    const ask = fleetOf(directory);
    if (action === 'config') return compareConfig(ask);
    if (action === 'history') return readHistory(ask);
    if (action === 'status') return readStatus(ask, { json });
    const outcome = await reloadFleet(ask, {
      maxErrors: numberOf('max-errors', options['max-errors'], 1),
      wait: 1000 * numberOf('wait', options.wait, 10),
      progress: (text) => (json ? undefined : console.log(text)),
    });
    if (outcome.stopped) process.exitCode = 1;
    return outcome;
  },
  print(data, { args: [action = 'status'] }) {
    if (action === 'config') return formatComparison(data as ConfigComparison);
    if (action === 'history') return formatHistory(data as FleetHistory);
    return action === 'reload' ? formatReload(data as ReloadOutcome) : formatStatus(data as FleetReport);
  },
});

function numberOf(name: string, given: string | undefined, standard: number): number {
  if (given === undefined) return standard;
  const value = Number(given);
  if (given.trim() === '' || !(value >= 0)) throw usageError(`--${name} is no number: ${given}`);
  return value;
}
