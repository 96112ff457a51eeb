import { askMaster } from '../../../cluster/index.js';
import { defineCommand } from '../../command.js';

interface Change {
  name: string;
  from: unknown;
  to: unknown;
}

export const command = defineCommand({
  description:
    'Only those that a running cluster can change; another name is refused with the list of them. A restart has the old values again.',
  arguments: [
    { name: 'name', help: 'of a cluster option, e.g. `maxMemory`' },
    { name: 'value', help: 'as one would give it to `clutch start`' },
  ],
  examples: { 'set maxMemory 512': 'replace workers above 512 MiB', 'set hangTimeout 0': 'while one debugs' },
  run: async ({ directory, args: [name, value] }) =>
    (await askMaster(directory, { command: 'set', name: String(name), value: String(value) })) as Change,
  print: ({ name, from, to }) => `${name}: ${from} → ${to}`,
});
