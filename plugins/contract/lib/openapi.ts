import type { ContractSchemas } from './contract.js';
import { type JsonSchema, type StandardSchema, toJsonSchema } from './standard_schema.js';

/** A route that has a contract. */
export interface ContractRoute {
  /** In lower case. */
  methods: string[];
  /** As it was registered: `/notes/:id`. */
  path: string;
  name?: string;
  schemas: ContractSchemas;
}

interface Info {
  title: string;
  version: string;
  description?: string;
}

const INVALID = {
  description: 'The request does not meet the contract',
  content: {
    'application/json': {
      schema: {
        type: 'object',
        properties: {
          code: { const: 'invalid_param' },
          message: { type: 'string' },
          errors: {
            type: 'array',
            items: {
              type: 'object',
              properties: { code: { type: 'string' }, field: { type: 'string' }, message: { type: 'string' } },
            },
          },
        },
      },
    },
  },
};

/** @returns the API document of the routes, OpenAPI 3.1 */
export function openApiDocument(info: Info, routes: ContractRoute[]): Record<string, unknown> {
  const paths: Record<string, Record<string, unknown>> = {};
  for (const route of routes) {
    // In OpenAPI, a parameter of the path is never optional: without it, it is another path.
    for (const pattern of [route.path, route.path.replace(/\/:\w+(?:\([^)]*\))?\?/g, '')]) {
      const path = pattern.replace(/:(\w+)(?:\([^)]*\))?\??/g, '{$1}') || '/';
      paths[path] ??= {};
      for (const method of route.methods) paths[path][method] ??= operation(route, path);
    }
  }
  return { openapi: '3.1.0', info, paths };
}

function operation({ name, schemas }: ContractRoute, path: string): Record<string, unknown> {
  const { params, query, headers, body, summary, description, tags } = schemas;
  const parameters = [
    ...pathParameters(path, params),
    ...parametersOf(query, 'query'),
    ...parametersOf(headers, 'header'),
  ];
  return {
    ...(name ? { operationId: name } : {}),
    ...(summary ? { summary } : {}),
    ...(description ? { description } : {}),
    ...(tags ? { tags } : {}),
    ...(parameters.length > 0 ? { parameters } : {}),
    ...(body ? { requestBody: { required: true, content: json(toJsonSchema(body, 'input')) } } : {}),
    responses: responses(schemas),
  };
}

const json = (schema: JsonSchema): Record<string, unknown> => ({ 'application/json': { schema } });

function pathParameters(path: string, schema: StandardSchema | undefined): Record<string, unknown>[] {
  const known = new Map(parametersOf(schema, 'path').map((parameter) => [parameter['name'], parameter]));
  return [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => ({
    ...(known.get(name) ?? { name, in: 'path', schema: { type: 'string' } }),
    required: true,
  }));
}

function parametersOf(schema: StandardSchema | undefined, place: string): Record<string, unknown>[] {
  if (!schema) return [];
  const { properties = {}, required = [] } = toJsonSchema(schema, 'input') as {
    properties?: Record<string, JsonSchema>;
    required?: string[];
  };
  return Object.entries(properties).map(([name, value]) => ({
    name,
    in: place,
    ...(required.includes(name) ? { required: true } : {}),
    schema: value,
  }));
}

function responses({ params, query, headers, body, response }: ContractSchemas): Record<string, unknown> {
  const all: Record<string, unknown> = {};
  if (response && '~standard' in response) {
    all['200'] = { description: 'OK', content: json(toJsonSchema(response as StandardSchema, 'output')) };
  } else {
    for (const [status, schema] of Object.entries((response ?? {}) as Record<string, StandardSchema>)) {
      all[status] = { description: `Status ${status}`, content: json(toJsonSchema(schema, 'output')) };
    }
  }
  if (Object.keys(all).length === 0) all['default'] = { description: 'The response' };
  if (params || query || headers || body) all['422'] ??= INVALID;
  return all;
}
