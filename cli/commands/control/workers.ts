import { askMaster } from '../../../cluster/index.js';
import { ClutchError } from '../../../errors.js';
import { parseArguments } from '../../arguments.js';

const USAGE = `clutch workers <count> [directory]

Changes the number of app workers of a running app; returns when the new ones take requests.`;

/** Scales a running app. */
export async function run([count, ...args]: string[]): Promise<void> {
  if (count === '--help' || count === '-h') return console.log(USAGE);
  const { directory } = parseArguments(args, {}, USAGE);
  if (!/^\d+$/.test(count ?? '')) {
    throw new ClutchError('ERR_CLUTCH_CLI', `the number of workers is ${count ?? 'not given'}`, {
      fix: `Usage: ${USAGE}`,
    });
  }
  await askMaster(directory, { command: 'workers', count: Number(count) });
  console.log(`there are ${count} app workers now`);
}
