/**
 * Types `this` in the members of an extend file: `export default defineExtend<Context>({ get lucky() { return this.query.n; } })`.
 * Give a type with symbols of your own to keep values on the object: `defineExtend<Context & { [CACHE]?: Cache }>`.
 *
 * @param members methods and accessors as they are put on the prototype
 * @returns the members
 */
export function defineExtend<This, Members extends object = object>(members: Members & ThisType<This>): Members {
  return members;
}
