import { defineCommand } from '../../command.js';
import { DevSession } from '../../dev/dev_session.js';
import { clusterFlags, clusterOptionsFrom } from '../../flags/cluster_flags.js';
import { assertApp } from '../../process/app_directory.js';

export const command = defineCommand({
  description: `Like \`clutch dev\`; the Agent and each app worker have an inspector on a port of their own, whose links are printed. A process that stops at a
breakpoint does not count as hung.`,
  options: {
    ...clusterFlags(['port', 'workers', 'framework'], { workers: 'app workers; default 1' }),
    brk: { help: 'stop before the first line of each process' },
  },
  endless: true,
  examples: { debug: 'then open chrome://inspect, or attach an editor', 'debug --brk': 'from the first line on' },
  async run({ directory, options: { brk, ...options } }) {
    assertApp(directory);
    process.env['NODE_ENV'] ??= 'development';
    const execArgv = [brk ? '--inspect-brk' : '--inspect'];
    await new DevSession({ directory, options: clusterOptionsFrom(options), execArgv }).run();
  },
});
