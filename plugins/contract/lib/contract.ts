import type { Context, Middleware, Next, Without } from '../../../core/index.js';
import { ClutchError, refusal } from '../../../errors.js';
import { type InputOf, type Issue, type OutputOf, pathText, type StandardSchema } from './standard_schema.js';

/** What a route takes and gives. Schemas are of any library of the Standard Schema convention. */
export interface ContractSchemas {
  /** Parameters of the path. */
  params?: StandardSchema;
  /** The query string: each value is a text. */
  query?: StandardSchema;
  /** Names are in lower case. */
  headers?: StandardSchema;
  /** The parsed body. */
  body?: StandardSchema;
  /** The body of a response with a status from 200 to 299, or a schema for each status. */
  response?: StandardSchema | Record<number, StandardSchema>;
  /** One line for the API document. */
  summary?: string;
  description?: string;
  tags?: string[];
}

const PLACES = ['params', 'query', 'headers', 'body'] as const;
type Place = (typeof PLACES)[number];

type Valid<S extends ContractSchemas> = {
  [P in Place as S[P] extends StandardSchema ? P : never]: OutputOf<S[P]>;
};

type ResponseBody<S extends ContractSchemas> = S['response'] extends StandardSchema
  ? InputOf<S['response']>
  : S['response'] extends Record<number, StandardSchema>
    ? InputOf<S['response'][keyof S['response']]>
    : unknown;

/** A context whose request has met the contract: `ctx.valid` holds what the schemas made of it. */
export type ContractContext<S extends ContractSchemas> = Without<Context, 'body'> & {
  valid: Valid<S>;
  body: ResponseBody<S>;
};

/** The context of a handler behind a contract: `async create(ctx: ContextOf<typeof createNote>)`. */
export type ContextOf<C> = C extends Contract<infer S> ? ContractContext<S> : never;

const CONTRACT: unique symbol = Symbol.for('clutch#contract');

/** A middleware that lets only requests pass that meet its schemas. */
export type Contract<S extends ContractSchemas = ContractSchemas> = Middleware & { readonly [CONTRACT]: S };

/** One thing that is wrong with a request, or with a response. */
interface Fault {
  code: 'invalid';
  /** Where it is: `body.tags[0]`, `query.page`. */
  field: string;
  message: string;
}

type Handler<S extends ContractSchemas> = (ctx: ContractContext<S>) => unknown;
type Work = ContractContext<ContractSchemas> & { valid: Record<string, unknown> };

/**
 * Makes a contract for a route: as one of its middlewares, or, with `handler`, as its controller.
 *
 * A request that breaks it is answered with 422 and a list of every fault. In `local` and `unittest`, or with
 * `config.contract.checkResponse`, a response that breaks it is an error as well.
 *
 * @example app.post('/notes', contract({ body: z.object({ title: z.string() }) }, (ctx) => { ctx.body = ctx.valid.body.title; }))
 */
export function contract<const S extends ContractSchemas>(schemas: S, handler?: Handler<S>): Contract<S> {
  const places = PLACES.filter((place) => schemas[place]);
  const middleware: Middleware = (ctx, next) => {
    const work = ctx as unknown as Work;
    work.valid = {};
    const faults: Fault[] = [];
    const waiting: Promise<void>[] = [];
    for (const place of places) {
      const result = (schemas[place] as StandardSchema)['~standard'].validate(valueIn(ctx, place));
      const settle = (settled: Awaited<typeof result>): void => {
        if (settled.issues) faults.push(...faultsOf(settled.issues, place));
        else work.valid[place] = settled.value;
      };
      if (result instanceof Promise) waiting.push(result.then(settle));
      else settle(result);
    }
    const go = (): unknown => {
      if (faults.length > 0) throw invalidRequest(ctx, faults);
      return run(work as unknown as ContractContext<S>, next, schemas, handler);
    };
    return waiting.length > 0 ? Promise.all(waiting).then(go) : go();
  };
  return Object.assign(middleware, { [CONTRACT]: schemas });
}

/** @returns the contract among the handlers of a route, if there is one */
export function contractOf(handlers: readonly unknown[]): ContractSchemas | undefined {
  return handlers.map((handler) => (handler as Partial<Contract>)[CONTRACT]).find((schemas) => schemas !== undefined);
}

function valueIn(ctx: Context, place: Place): unknown {
  if (place === 'params') return ctx.params;
  if (place === 'query') return { ...ctx.query };
  if (place === 'headers') return ctx.headers;
  return (ctx.request as { body?: unknown }).body;
}

function faultsOf(issues: readonly Issue[], place: string): Fault[] {
  return issues.map(({ message, path }) => {
    const below = pathText(path);
    const field = below === '' || below.startsWith('[') ? place + below : `${place}.${below}`;
    return { code: 'invalid', field, message };
  });
}

function invalidRequest(ctx: Context, errors: Fault[]): Error {
  // A list of faults is for programs: whoever does not ask for a page gets JSON.
  if (!ctx.get('accept').includes('html')) ctx.type = 'json';
  const error = refusal(new Error('Validation Failed'));
  return Object.assign(error, {
    name: 'UnprocessableEntityError',
    status: 422,
    code: 'invalid_param',
    expose: true,
    errors,
  });
}

function run<S extends ContractSchemas>(
  ctx: ContractContext<S>,
  next: Next,
  schemas: S,
  handler: Handler<S> | undefined,
): unknown {
  const result = handler ? handler(ctx) : next();
  if (!schemas.response || !checksResponses((ctx as unknown as Context).app)) return result;
  return Promise.resolve(result).then(() => checkResponse(ctx as unknown as Context, schemas));
}

function checksResponses(app: Context['app']): boolean {
  return (app.config['contract'] as { checkResponse: boolean }).checkResponse;
}

async function checkResponse(ctx: Context, { response }: ContractSchemas): Promise<void> {
  const schema = schemaFor(response, ctx.status);
  if (!schema) return;
  // What a client gets: undefined members are gone, and a Date is a text.
  const sent: unknown = ctx.body === undefined ? undefined : JSON.parse(JSON.stringify(ctx.body));
  const { issues } = await schema['~standard'].validate(sent);
  if (!issues) return;
  throw new ClutchError('ERR_CLUTCH_CONTRACT', `${ctx.method} ${ctx.path} answers ${ctx.status} against its contract`, {
    where: faultsOf(issues, 'response').map(({ field, message }) => `${field}: ${message}`),
    fix: 'Correct the handler, or the schema in `response` of the contract.',
  });
}

function schemaFor(response: ContractSchemas['response'], status: number): StandardSchema | undefined {
  if (response === undefined) return undefined;
  if ('~standard' in response) return status >= 200 && status < 300 ? (response as StandardSchema) : undefined;
  return (response as Record<number, StandardSchema>)[status];
}
