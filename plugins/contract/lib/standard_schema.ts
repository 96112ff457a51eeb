/** A fault that a schema has found; `path` leads to the value. */
export interface Issue {
  readonly message: string;
  readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined;
}

type Result<Output> = { readonly value: Output; readonly issues?: undefined } | { readonly issues: readonly Issue[] };

/** What every library of the Standard Schema convention (zod, valibot, arktype, …) offers: https://standardschema.dev */
export interface StandardSchema<Input = unknown, Output = Input> {
  readonly '~standard': {
    readonly version: 1;
    readonly vendor: string;
    readonly validate: (value: unknown) => Result<Output> | Promise<Result<Output>>;
    readonly types?: { readonly input: Input; readonly output: Output } | undefined;
  };
}

export type OutputOf<S> = S extends StandardSchema<infer _, infer Output> ? Output : never;
export type InputOf<S> = S extends StandardSchema<infer Input, infer _> ? Input : never;

export type JsonSchema = Record<string, unknown>;

interface DescribesItself {
  '~standard': { jsonSchema?: Record<'input' | 'output', (options: { target: string }) => JsonSchema> };
  toJsonSchema?: () => JsonSchema;
  type?: unknown;
}

/**
 * @param side what a client sends (`input`) or gets (`output`)
 * @returns the schema as JSON Schema 2020-12: as the library itself writes it, else `{}`, which says nothing of the value
 */
export function toJsonSchema(schema: StandardSchema, side: 'input' | 'output'): JsonSchema {
  const { '~standard': standard, toJsonSchema: own, type } = schema as StandardSchema & DescribesItself;
  try {
    if (standard.jsonSchema) return withoutDialect(standard.jsonSchema[side]({ target: 'draft-2020-12' }));
    if (typeof own === 'function') return withoutDialect(own.call(schema));
  } catch {
    // A type that JSON has no word for, such as a Date: the document tells nothing of it.
    return {};
  }
  // A TypeBox schema is JSON Schema, with the adapter's member beside it.
  return typeof type === 'string' ? JSON.parse(JSON.stringify({ ...schema, '~standard': undefined })) : {};
}

function withoutDialect({ $schema: _, ...schema }: JsonSchema): JsonSchema {
  return schema;
}

/** @returns the path of a fault as one writes it in JavaScript: `tags[0].name` */
export function pathText(path: Issue['path']): string {
  let text = '';
  for (const segment of path ?? []) {
    const key = typeof segment === 'object' ? segment.key : segment;
    if (typeof key === 'number') text += `[${key}]`;
    else text += text === '' ? String(key) : `.${String(key)}`;
  }
  return text;
}
