import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { test } from 'node:test';
import fc from 'fast-check';
import { compose } from '../../../core/request/compose.js';
import { middlewareOf, type Phases } from '../../../core/request/phases.js';
import type { Context, Middleware, Next } from '../../../core/types.js';

const koaCompose = createRequire(import.meta.url)('koa-compose') as (list: Middleware[]) => Middleware;

type Way = 'nothing' | 'ends' | 'waits' | 'throws' | 'rejects';
interface Plan {
  /** `twice`: calls `next` a second time. */
  before: 'none' | 'nothing' | 'throws' | 'ends' | 'goes on' | 'waits, goes on' | 'twice' | 'rejects';
  after: 'none' | Way;
  failed: 'none' | 'rejects' | 'recovers';
  isPlain: boolean;
}

const plans: fc.Arbitrary<Plan[]> = fc.array(
  fc.record({
    before: fc.constantFrom<Plan['before'][]>(
      'none',
      'none',
      'nothing',
      'nothing',
      'throws',
      'ends',
      'goes on',
      'waits, goes on',
      'twice',
      'rejects',
    ),
    after: fc.constantFrom<Plan['after'][]>('none', 'nothing', 'waits', 'throws', 'rejects'),
    failed: fc.constantFrom<Plan['failed'][]>('none', 'rejects', 'recovers'),
    isPlain: fc.boolean(),
  }),
  { maxLength: 6 },
);

function phasesOf(plan: Plan, name: string, log: string[]): Phases {
  const { before, after, failed } = plan;
  return {
    ...(before !== 'none' && {
      before() {
        log.push(`${name} before`);
        if (before === 'nothing') return undefined;
        if (before === 'throws') throw new Error(`${name} throws`);
        return async (next: Next) => {
          if (before === 'rejects') throw new Error(`${name} rejects`);
          if (before === 'waits, goes on') await null;
          if (before !== 'ends') await next();
          if (before === 'twice') await next();
          log.push(`${name} instead`);
        };
      },
    }),
    ...(after !== 'none' && {
      after() {
        log.push(`${name} after`);
        if (after === 'throws') throw new Error(`${name} after throws`);
        if (after === 'rejects') return Promise.reject(new Error(`${name} after rejects`));
        return after === 'waits' ? new Promise((resolve) => setImmediate(resolve)) : undefined;
      },
      ...(failed !== 'none' && {
        failed: async (_ctx: Context, error: unknown) => {
          log.push(`${name} failed`);
          if (failed === 'rejects') throw new Error(`${name}: ${(error as Error).message}`);
        },
      }),
    }),
  };
}

/** The same as one function, as anybody would write it. */
function functionOf({ before, after, failed }: Phases): Middleware {
  return async (ctx, next) => {
    const instead = before?.(ctx);
    if (instead) {
      await instead(next);
      return;
    }
    try {
      await next();
    } catch (error) {
      if (!failed) throw error;
      await failed(ctx, error);
      return;
    }
    await after?.(ctx);
  };
}

async function outcomeOf(run: Middleware, log: string[]): Promise<string[]> {
  const ctx = {} as Context;
  const next: Next = async () => void log.push('next');
  try {
    await run(ctx, next);
  } catch (error) {
    log.push((error as Error).message);
  }
  return log;
}

test('middlewares made of phases run as functions do under koa-compose, whatever stands between them', async () => {
  await fc.assert(
    fc.asyncProperty(plans, async (list) => {
      const named = list.map((plan, index): [Plan, string] => [plan, String(index)]);
      const [expected, composed, alone]: [string[], string[], string[]] = [[], [], []];
      const functions = named.map(([plan, name]) => functionOf(phasesOf(plan, name, expected)));
      const grouped = named.map(([plan, name]) =>
        plan.isPlain ? functionOf(phasesOf(plan, name, composed)) : middlewareOf(name, phasesOf(plan, name, composed)),
      );
      const single = named.map(([plan, name]) => middlewareOf(name, phasesOf(plan, name, alone)));
      await outcomeOf(koaCompose(functions), expected);
      await outcomeOf(compose(grouped) as Middleware, composed);
      await outcomeOf(koaCompose(single), alone);
      assert.deepEqual(composed, expected);
      assert.deepEqual(alone, expected);
    }),
    { numRuns: 2000 },
  );
});

test('a middleware made of phases has a name', () => {
  assert.equal(middlewareOf('meta', {}).name, 'meta');
});
