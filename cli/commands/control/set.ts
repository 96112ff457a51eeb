import { askMaster, type OptionChange } from '../../../cluster/index.js';
import { ClutchError } from '../../../errors.js';
import { defineCommand } from '../../command.js';
import { printError } from '../../terminal/print_error.js';
import { table } from '../../terminal/table.js';
import { usageError } from '../../usage_error.js';

export const command = defineCommand({
  description: `Which options can be changed, and when that takes effect, is in the table of docs/cluster.md. All are checked before any is changed, and the
difference is shown first. A restart has the old values again.`,
  arguments: [
    {
      name: 'name=value',
      help: 'cluster options, each as one would give it to `clutch start`',
      repeated: (text) => /^\w+=/.test(text),
    },
  ],
  options: { 'dry-run': { help: 'only show what would change' } },
  examples: {
    'set maxMemory=512 workers=4': 'replace workers above 512 MiB, and have four of them',
    'set requestTimeout=5000 --dry-run': 'see when it would take effect',
    'set hangTimeout=0': 'while one debugs',
    'set workers=2-8': 'as many as are needed, between two and eight',
  },
  async run({ directory, args, options, json }) {
    const pairs = args.map((arg = '') => pairOf(arg));
    const change = async (dryRun: boolean): Promise<OptionChange[]> =>
      (await askMaster(directory, { command: 'set', options: pairs, dryRun })) as OptionChange[];
    let planned: OptionChange[];
    try {
      planned = await change(true);
    } catch (error) {
      if (!(error instanceof ClutchError && error.code === 'ERR_CLUTCH_OPTION')) throw error;
      printError(error);
      process.exitCode = 2;
      return;
    }
    if (options['dry-run']) return planned;
    // More workers take a while to start.
    if (!json) console.log(format(planned));
    const changes = await change(false);
    return json ? changes : undefined;
  },
  print: format,
});

function pairOf(text: string): [string, string] {
  const [, name, value] = /^(\w+)=(.*)$/s.exec(text) ?? [];
  if (name === undefined || value === undefined) throw usageError(`an option is given as name=value, not ${text}`);
  return [name, value];
}

function format(changes: OptionChange[] | undefined = []): string {
  return table(
    changes.map(({ name, from, to, effect }) => [name, `${from} → ${to}`, from === to ? 'as it is' : effect]),
  );
}
