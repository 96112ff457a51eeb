import { channels, currentContext, trace } from '../../tracing/channels.js';
import type { TracedContext } from '../../tracing/payloads.js';
import { isRecorded, recording } from '../../tracing/recording.js';
import type { AnyClass } from './export_kind.js';

type Method = (...args: unknown[]) => unknown;

const traced = new WeakMap<AnyClass, AnyClass>();

/**
 * @returns a class like `Class`, whose instances publish the calls of their methods
 * @param place where on `ctx` its instances are
 */
export function tracedClass(Class: AnyClass, { property, path }: { property: string; path: string }): AnyClass {
  const known = traced.get(Class);
  if (known) return known;
  // A subclass, so that private members and `instanceof` work.
  const Traced = class extends Class {};
  Object.defineProperty(Traced, 'name', { value: Class.name });
  for (const key of methodNames(Class)) {
    const name = `${path}.${key}`;
    Object.defineProperty(Traced.prototype, key, {
      configurable: true,
      writable: true,
      value(this: { ctx?: TracedContext }, ...args: unknown[]) {
        // Looked up at each call: a test may have replaced it.
        const method = (Class.prototype as Record<string, Method>)[key] as Method;
        const { hasSubscribers } = channels.service;
        if (!hasSubscribers && !recording.open) return method.apply(this, args);
        const ctx = (this.ctx ?? currentContext()) as TracedContext;
        if (!hasSubscribers && !isRecorded(ctx)) return method.apply(this, args);
        return trace('service', { ctx, property, name }, () => method.apply(this, args));
      },
    });
  }
  traced.set(Class, Traced);
  return Traced;
}

function methodNames(Class: AnyClass): Set<string> {
  const names = new Set<string>();
  for (let level = Class.prototype; level && level !== Object.prototype; level = Object.getPrototypeOf(level)) {
    for (const key of Object.getOwnPropertyNames(level)) {
      const isMethod = typeof Object.getOwnPropertyDescriptor(level, key)?.value === 'function';
      if (isMethod && key !== 'constructor') names.add(key);
    }
  }
  return names;
}
