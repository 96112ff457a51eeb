import { defineCommand } from '../../command.js';
import { DevSession } from '../../dev/dev_session.js';
import { clusterFlags, clusterOptionsFrom } from '../../flags/cluster_flags.js';
import { assertApp } from '../../process/app_directory.js';
import { usageError } from '../../usage_error.js';

export const command = defineCommand({
  description: `After a save, what it concerns is replaced: app workers, and the Agent with agent.js, config/, app/extend/ and app/schedule/. Code that does
not start leaves the old processes; when the app does not start at all, the next save starts it again. Pages show the error.`,
  options: {
    ...clusterFlags(['port', 'workers', 'framework'], {
      port: 'default: that of config.cluster.listen.port (7001), or the next free one',
      workers: 'app workers; default 1',
    }),
    'admin-port': { argument: 'port', help: 'of the admin page; default: 7900, or the next free one' },
    inspect: { help: 'open an inspector in every process, as `clutch debug` does' },
  },
  endless: true,
  examples: { dev: 'the app here', 'dev ../shop --port 8080': 'another app, on a port of its own' },
  async run({ directory, options: { inspect, ...options } }) {
    assertApp(directory);
    if (clusterOptionsFrom(options).workers === '0')
      throw usageError('clutch dev replaces workers: give at least one worker');
    process.env['NODE_ENV'] ??= 'development';
    process.env['EGG_MASTER_CLOSE_TIMEOUT'] ??= '1000';
    const execArgv = inspect ? ['--inspect'] : [];
    await new DevSession({ directory, options: clusterOptionsFrom(options), execArgv }).run();
  },
});
