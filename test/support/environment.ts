import type { TestContext } from 'node:test';

/** Sets environment variables, or removes those that are undefined, until the end of the test. */
export function setEnvironment(t: TestContext, values: Record<string, string | undefined>): void {
  for (const [name, value] of Object.entries(values)) {
    const before = process.env[name];
    assign(name, value);
    t.after(() => assign(name, before));
  }
}

function assign(name: string, value: string | undefined): void {
  if (value === undefined) delete process.env[name];
  else process.env[name] = value;
}
