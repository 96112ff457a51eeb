import { askMaster } from '../../../cluster/index.js';
import { parseArguments } from '../../arguments.js';

const USAGE = `clutch reload [directory]

Replaces Agent and app workers one after the other; no request fails. When the new code does not start, the old
processes stay and the command ends with the error.`;

/** Has a running app load its code anew. */
export async function run(args: string[]): Promise<void> {
  const { values, directory } = parseArguments(args, { help: { type: 'boolean', short: 'h' } }, USAGE);
  if (values['help']) return console.log(USAGE);
  await askMaster(directory, { command: 'reload' });
  console.log('reloaded');
}
