import { ClutchError } from '../errors.js';

type Hook = (run: () => unknown) => unknown;

/** The functions of a test runner that run something before, between and after tests. */
interface Hooks {
  before: Hook;
  afterEach: Hook;
  after: Hook;
}

/**
 * @returns the hooks of Jest, Mocha or Vitest with `globals: true`, if there are any, else those of node:test
 * @throws {ClutchError} ERR_CLUTCH_MOCK under Vitest without globals
 */
export function findHooks(globals: object): Hooks {
  const { before, beforeAll, after, afterAll, afterEach } = globals as Record<string, Hook | undefined>;
  const first = before ?? beforeAll;
  const last = after ?? afterAll;
  if (first && last && afterEach) return { before: first, after: last, afterEach };
  if (process.env['VITEST']) {
    throw new ClutchError('ERR_CLUTCH_MOCK', 'Vitest shows its hooks to its test files only', {
      where: 'koa-clutch/mock/bootstrap',
      fix: 'Set test.globals to true in vitest.config.',
    });
  }
  const runner = process.getBuiltinModule('node:test');
  return { before: runner.before, after: runner.after, afterEach: runner.afterEach };
}
