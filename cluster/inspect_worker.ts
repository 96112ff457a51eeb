import { writeSync } from 'node:fs';

interface Inspectable {
  report(topic: string, key?: string): unknown;
}

/** The pipe to the process that asks. */
const ANSWER = 3;

const { entry, topic, key, baseDir } = JSON.parse(process.argv[2] as string);
const module = (await import(entry)) as {
  Application?: new (options: object) => Inspectable;
  default?: { Application: new (options: object) => Inspectable };
};
const Application = module.Application ?? module.default?.Application;
try {
  if (!Application) throw new Error(`the framework ${entry} does not export Application`);
  const answer = Buffer.from(JSON.stringify(new Application({ baseDir }).report(topic, key)));
  for (let sent = 0; sent < answer.length; ) sent += writeSync(ANSWER, answer, sent);
  // In the same turn as the construction: asynchronous hooks do not get to run.
  process.exit(0);
} catch (error) {
  process.stderr.write(`${(error as Error).message}\n`, () => process.exit(1));
}
