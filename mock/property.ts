interface Replaced {
  target: object;
  key: PropertyKey;
  /** Undefined where the target had no property of its own. */
  original: PropertyDescriptor | undefined;
}

const replaced: Replaced[] = [];

/**
 * Replaces a property until `restore()`: of an object, or of a prototype, such as `app.context`.
 *
 * @param value what reading the property gives; an object with `get` or `set` functions becomes an accessor
 * @throws {TypeError} if `target` is neither an object nor a function
 */
export function mockProperty(target: object, key: PropertyKey, value: unknown): void {
  if (Object(target) !== target) throw new TypeError(`mock(): a property of ${String(target)} cannot be replaced`);
  const original = Reflect.getOwnPropertyDescriptor(target, key);
  replaced.push({ target, key, original });
  const common = { configurable: true, enumerable: original?.enumerable ?? true };
  Object.defineProperty(
    target,
    key,
    isAccessor(value) ? { ...common, ...value } : { ...common, value, writable: true },
  );
}

/** Whether a property is replaced at the moment. */
export function isMocked(target: object, key: PropertyKey): boolean {
  return replaced.some((each) => each.target === target && each.key === key);
}

/** Undoes all `mockProperty`, the last one first. */
export function restoreProperties(): void {
  for (const { target, key, original } of replaced.splice(0).reverse()) {
    if (original) Object.defineProperty(target, key, original);
    else Reflect.deleteProperty(target, key);
  }
}

function isAccessor(value: unknown): value is { get?(): unknown; set?(value: unknown): void } {
  if (typeof value !== 'object' || value === null) return false;
  const keys = Object.keys(value);
  return (
    keys.length > 0 &&
    keys.every((key) => (key === 'get' || key === 'set') && typeof Reflect.get(value, key) === 'function')
  );
}

/** @returns the accessor or method of an object or its prototypes */
export function findDescriptor(target: object, key: PropertyKey): PropertyDescriptor | undefined {
  for (let each: object | null = target; each; each = Reflect.getPrototypeOf(each)) {
    const descriptor = Reflect.getOwnPropertyDescriptor(each, key);
    if (descriptor) return descriptor;
  }
  return undefined;
}
