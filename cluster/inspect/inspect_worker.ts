import { writeSync } from 'node:fs';
import { maskText } from '../../output/secrets.js';

interface Inspectable {
  report(topic: string, key?: string): unknown;
}

/** File descriptor of the pipe to the process that asks. */
const REPORT = 3;

const { entry, topic, key, baseDir } = JSON.parse(process.argv[2] as string);
const module = (await import(entry)) as {
  Application?: new (options: object) => Inspectable;
  writeTypings?(baseDir: string): unknown;
  default?: { Application: new (options: object) => Inspectable };
};
const Application = module.Application ?? module.default?.Application;
try {
  if (topic === 'types') finish(module.writeTypings?.(baseDir));
  if (!Application) throw new Error(`the framework ${entry} does not export Application`);
  finish(new Application({ baseDir }).report(topic, key));
} catch (error) {
  process.stderr.write(`${maskText((error as Error).message)}\n`, () => process.exit(1));
}

/** Reports before the event loop goes on, so that asynchronous hooks do not get to run. */
function finish(value: unknown): never {
  const report = Buffer.from(JSON.stringify(value));
  for (let sent = 0; sent < report.length; ) sent += writeSync(REPORT, report, sent);
  process.exit(0);
}
