import { ClutchError } from '../../errors.js';
import type { Application } from '../../framework/index.js';
import { mockedFunction } from '../mocked_function.js';
import { findDescriptor, mockProperty } from '../property.js';

/** A service by its path, such as `'admin.user'`, its class, or an instance of it. */
export type ServiceReference = string | object;

/**
 * Replaces a method of a service for all requests.
 *
 * @throws {ClutchError} ERR_CLUTCH_MOCK if the app has no such service, or the service no such method
 */
export function mockService(app: Application, service: ServiceReference, method: string, value: unknown): void {
  const target = prototypeOf(app, service);
  const original: unknown = findDescriptor(target, method)?.value;
  if (typeof original !== 'function') {
    throw new ClutchError('ERR_CLUTCH_MOCK', `${nameOf(service)} has no method ${method}`, {
      where: `mockService(…, '${method}')`,
    });
  }
  mockProperty(target, method, mockedFunction(original as () => unknown, value));
}

/** @param error what the method throws; a text becomes the message of an Error */
export function mockServiceError(
  app: Application,
  service: ServiceReference,
  method: string,
  error: unknown = `mock ${method} error`,
): void {
  mockService(app, service, method, error instanceof Error ? error : new Error(String(error)));
}

function prototypeOf(app: Application, service: ServiceReference): object {
  if (typeof service === 'function') return (service as unknown as { prototype: object }).prototype;
  if (typeof service !== 'string') return service;
  const { serviceClasses } = app as unknown as { serviceClasses: Record<string, unknown> };
  let found: unknown = serviceClasses;
  for (const segment of service.split('.')) {
    found = Object.hasOwn(Object(found), segment) ? Reflect.get(Object(found), segment) : undefined;
  }
  if (typeof found === 'function') return found.prototype as object;
  if (typeof found === 'object' && found !== null) return found;
  throw new ClutchError('ERR_CLUTCH_MOCK', `the app has no service ${service}`, {
    where: `mockService('${service}', …)`,
    fix: `Known at the top are: ${Object.keys(serviceClasses ?? {}).join(', ') || 'none'}.`,
  });
}

function nameOf(service: ServiceReference): string {
  if (typeof service === 'string') return `service ${service}`;
  return `service ${typeof service === 'function' ? service.name : service.constructor.name}`;
}
