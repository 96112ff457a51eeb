import type { Context, Next, RouteController } from '../types.js';
import type { RouteArguments } from './route_arguments.js';

type WordCharacter =
  | ('a' | 'b' | 'c' | 'd' | 'e' | 'f' | 'g' | 'h' | 'i' | 'j' | 'k' | 'l' | 'm')
  | ('n' | 'o' | 'p' | 'q' | 'r' | 's' | 't' | 'u' | 'v' | 'w' | 'x' | 'y' | 'z')
  | ('0' | '1' | '2' | '3' | '4' | '5' | '6' | '7' | '8' | '9' | '_');

/** Splits a text after its leading word characters. */
type SplitWord<Text extends string, Word extends string = ''> = Text extends `${infer First}${infer Rest}`
  ? Lowercase<First> extends WordCharacter
    ? SplitWord<Rest, `${Word}${First}`>
    : [Word, Text]
  : [Word, ''];

/** The text after the RegExp of a parameter, as in `:id(\\d+)`. */
type AfterPattern<Text extends string> = Text extends `(${string})${infer Rest}` ? Rest : Text;

type Collect<Path extends string> = Path extends `${string}:${infer Rest}`
  ? SplitWord<Rest> extends [infer Name extends string, infer After extends string]
    ? AfterPattern<After> extends `?${infer Next}`
      ? { [Key in Name]?: string } & Collect<Next>
      : { [Key in Name]: string } & Collect<AfterPattern<After>>
    : never
  : unknown;

/** Groups without names, which have numbers, and groups within others. */
type Unreadable = `${string}*${string}` | `${string}${'(?' | '/(' | '(('}${string}` | `(${string}`;

/** `ctx.params` of a route: `{ id: string; page?: string }` for `/users/:id/:page?`, any name for a path that is no literal. */
export type ParamsOf<Path extends string> = string extends Path
  ? Record<string, string>
  : Path extends Unreadable
    ? Record<string, string>
    : { [Name in keyof Collect<Path>]: Collect<Path>[Name] };

/** Unlike Omit it keeps the known members of a type that has an index signature as well. */
export type Without<T, Keys extends PropertyKey> = { [Key in keyof T as Key extends Keys ? never : Key]: T[Key] };

/** The context of a handler of a route. */
export type RouteContext<Path extends string> = Without<Context, 'params'> & { params: ParamsOf<Path> };

type RouteHandler<Path extends string> = (ctx: RouteContext<Path>, next: Next) => unknown;
type Handlers<Path extends string> = [
  ...RouteHandler<Path>[],
  RouteHandler<Path> | Exclude<RouteController, (...args: never[]) => unknown>,
];

/** A verb of a router, such as `get`: a path with an optional name before it, middleware, and a controller or its name. */
export interface RouteVerb<Self> {
  <Path extends string>(path: Path, ...handlers: Handlers<Path>): Self;
  <Path extends string>(name: string, path: Path, ...handlers: Handlers<Path>): Self;
  (...args: RouteArguments): Self;
}
