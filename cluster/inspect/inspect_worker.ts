import { writeSync } from 'node:fs';
import { describeForScreen } from '../../ipc/error_data.js';
import { maskText } from '../../output/secrets.js';

interface Inspectable {
  report(topic: string, key?: string): unknown;
}

/** File descriptor of the pipe to the process that asks. */
const REPORT = 3;

const { entry, topic, key, baseDir } = JSON.parse(process.argv[2] as string);
interface ApplicationClass {
  new (options: object): Inspectable;
  resolveConfig(options: object): Promise<void>;
}

const module = (await import(entry)) as {
  Application?: ApplicationClass;
  writeTypings?(baseDir: string, options: { check: boolean }): unknown;
  default?: { Application: ApplicationClass };
};
const Application = module.Application ?? module.default?.Application;
try {
  if (topic === 'types') finish(module.writeTypings?.(baseDir, { check: key === 'check' }));
  if (!Application) throw new Error(`the framework ${entry} does not export Application`);
  const options = { baseDir };
  await Application.resolveConfig(options);
  finish(new Application(options).report(topic, key));
} catch (error) {
  const { screen, stack } = describeForScreen(error);
  process.stderr.write(`${maskText(String(screen ?? stack))}\n`, () => process.exit(1));
}

/** Reports before the event loop goes on, so that asynchronous hooks do not get to run. */
function finish(value: unknown): never {
  const report = Buffer.from(JSON.stringify(value));
  for (let sent = 0; sent < report.length; ) sent += writeSync(REPORT, report, sent);
  process.exit(0);
}
