import path from 'node:path';
import { type PackageJson, readPackage } from '../../../resolve/package.js';
import { defineCommand } from '../../command.js';
import { checkLoad } from '../../doctor/checks/app_error.js';
import { checkClients, gatherClients } from '../../doctor/checks/clients.js';
import { checkConfig, gatherConfig } from '../../doctor/checks/config.js';
import { checkContainer, gatherContainer } from '../../doctor/checks/container.js';
import { checkDirectory, gatherDirectory } from '../../doctor/checks/directories.js';
import { checkEnvironment, gatherEnvironment } from '../../doctor/checks/environment.js';
import { checkLeftovers, gatherLeftovers } from '../../doctor/checks/leftovers.js';
import { checkPackages, gatherPackages } from '../../doctor/checks/packages.js';
import { checkPort, gatherPort } from '../../doctor/checks/port.js';
import { checkRuntime, gatherRuntime } from '../../doctor/checks/runtime.js';
import { checkTwins, gatherSources } from '../../doctor/checks/twins.js';
import { examineEggApp, printMigration } from '../../doctor/egg/migration.js';
import { type Finding, printFindings, worstFirst } from '../../doctor/finding.js';
import { inspect, type LoadedApp, leafOf } from '../../doctor/loaded_app.js';
import { packageRoot } from '../../package_root.js';
import { assertApp } from '../../process/app_directory.js';

export const command = defineCommand({
  description:
    'Each finding has a level (error, warning, note), what is wrong, where, and what mends it. Nothing is started or changed. With an error, the exit code is 1.',
  options: {
    from: {
      argument: 'framework',
      choices: ['egg'],
      help: 'what an app of Egg 2, 3 or 4 has that differs under Clutch; it is booted once, without listening',
    },
  },
  examples: {
    doctor: 'the app here',
    'doctor ../shop --json': 'another app, for programs',
    'doctor --from egg': 'an app of Egg, before it is moved',
  },
  async run({ directory, options }) {
    assertApp(directory);
    if (options.from) {
      const migration = await examineEggApp(directory);
      if (migration.boot.error !== undefined) process.exitCode = 1;
      return migration;
    }
    const findings = await examine(directory);
    if (findings.some(({ level }) => level === 'error')) process.exitCode = 1;
    return findings;
  },
  print: (data) => (Array.isArray(data) ? printFindings(data) : printMigration(data)),
});

/** Examines an app and what it runs on; nothing is started or changed. @returns findings with the worst first */
async function examine(baseDir: string): Promise<Finding[]> {
  const pkg = readPackage(baseDir);
  const sources = gatherSources(baseDir);
  const leftovers = await gatherLeftovers(baseDir);
  const findings = [
    ...checkRuntime(gatherRuntime(enginesOf(baseDir, pkg), Math.max(0, ...sources.map(({ changed }) => changed)))),
    ...checkPackages(gatherPackages(baseDir)),
    ...checkTwins(sources),
    ...checkLeftovers(leftovers),
    ...checkContainer(gatherContainer(pkg)),
  ];
  const app = await inspect(baseDir);
  if (app instanceof Error) findings.push(checkLoad(app));
  else findings.push(...(await checkLoaded(baseDir, app, leftovers.master)));
  return worstFirst(findings);
}

function enginesOf(baseDir: string, pkg: PackageJson): { from: string; range: string }[] {
  const all = [
    { from: 'koa-clutch', engines: readPackage(packageRoot())['engines'] },
    { from: path.join(baseDir, 'package.json'), engines: pkg['engines'] },
  ];
  return all.flatMap(({ from, engines }) => {
    const range = (engines as { node?: unknown } | undefined)?.node;
    return typeof range === 'string' ? [{ from, range }] : [];
  });
}

async function checkLoaded(baseDir: string, app: LoadedApp, master: number | undefined): Promise<Finding[]> {
  const env = String(leafOf(app, 'env'));
  const directories = ['logger.dir', 'rundir'].flatMap((key) => {
    const dir = leafOf(app, key);
    return typeof dir === 'string' ? checkDirectory(gatherDirectory(key, path.resolve(baseDir, dir))) : [];
  });
  const port = Number(leafOf(app, 'cluster.listen.port'));
  const hostname = String(leafOf(app, 'cluster.listen.hostname') ?? '');
  return [
    ...checkConfig(gatherConfig(baseDir, app, env)),
    ...checkClients(gatherClients(baseDir, app)),
    ...checkEnvironment(gatherEnvironment(baseDir, env)),
    ...directories,
    ...(port > 0 ? checkPort(await gatherPort(port, hostname, master)) : []),
  ];
}
