import type { IncomingMessage, ServerResponse } from 'node:http';
import type Koa from 'koa';

// This file imports no implementation: the other classes add themselves to these interfaces where they are declared.

/** The classes in use: `core`, and those of the framework by what they are. */
// biome-ignore lint/suspicious/noEmptyInterface: filled by declaration merging
export interface FrameworkTypes {}

/** The type of `ctx.app`. */
export type App = FrameworkTypes extends { application: infer T }
  ? T
  : FrameworkTypes extends { core: infer T }
    ? T
    : never;

declare module '../tracing/payloads.js' {
  interface TracedTypes {
    app: App;
    context: Context;
  }
}

/** `ctx.service.*`; `clutch types` or the app declares what is in it. */
// biome-ignore lint/suspicious/noEmptyInterface: filled by declaration merging
export interface IService {}

/** `app.controller.*`; `clutch types` or the app declares what is in it. */
// biome-ignore lint/suspicious/noEmptyInterface: filled by declaration merging
export interface IController {}

/** `ctx.helper.*` beyond what the framework has. */
// biome-ignore lint/suspicious/noEmptyInterface: filled by declaration merging
export interface IHelper {}

/** `app.middlewares.*`; `clutch types` or the app declares what is in it. */
// biome-ignore lint/suspicious/noEmptyInterface: filled by declaration merging
export interface IMiddleware {}

/** `ctx.jobs.*`; `clutch types` or the app declares what is in it. */
// biome-ignore lint/suspicious/noEmptyInterface: filled by declaration merging
export interface IJobs {}

/** What `app/extend/application` adds to the application. */
// biome-ignore lint/suspicious/noEmptyInterface: filled by declaration merging
export interface ApplicationExtension {}

type DefaultOf<M> = M extends { default: infer D } ? D : M;

/** What the loader makes of a file: the instance of a class, the result of a function, else the export itself. */
export type Loaded<M> =
  DefaultOf<M> extends new (
    ...args: never[]
  ) => infer I
    ? I
    : DefaultOf<M> extends (...args: never[]) => infer R
      ? R
      : DefaultOf<M>;

/** What a config file adds to the config; keys that the framework declares keep its types. */
export type LoadedConfig<M> = Omit<Loaded<M>, keyof KnownConfig>;

/** `app.controller.*` of a controller file: each method as a middleware. */
export type LoadedController<M> = {
  [K in keyof Loaded<M> as Loaded<M>[K] extends (...args: never[]) => unknown ? K : never]: (ctx: Context) => unknown;
};

/** The factory of a middleware file. */
export type LoadedMiddleware<M> = DefaultOf<M>;

/** Keys of `app.config` that the framework and its built-in plugins declare, by declaration merging. */
// biome-ignore lint/suspicious/noEmptyInterface: filled by declaration merging
export interface KnownConfig {}

/** `app.config.*` under the name that plugins and apps of Egg declare their keys in. */
export interface EggAppConfig extends KnownConfig {
  env: string;
  name: string;
  baseDir: string;
  coreMiddleware: string[];
  appMiddleware: string[];
  middleware: string[];
  [key: string]: unknown;
}

/** `app.config.*`; frameworks, plugins and apps declare their keys by declaration merging. */
export interface AppConfig extends EggAppConfig {}

/** What the core, the framework and the app add to a context. */
export interface ContextExtension {
  app: App;
  req: IncomingMessage;
  res: ServerResponse;
  service: IService;
  params: Record<string, string>;
  captures?: string[];
  routerName?: string;
  routerPath?: string;
  /** When the request arrived, in milliseconds since the epoch. */
  starttime: number;
}

type KoaContext = Omit<Koa.ExtendableContext, 'app' | 'state' | 'cookies' | 'request' | 'response' | 'query'>;

/** The context of a request. What nothing declares is `any`, as in Koa. */
export interface Context extends KoaContext, ContextExtension, Koa.DefaultContext {
  state: Record<string, unknown>;
  cookies: FrameworkTypes extends { cookies: infer T } ? T : Koa.Context['cookies'];
  request: FrameworkTypes extends { request: infer T } ? T : Koa.Request;
  response: FrameworkTypes extends { response: infer T } ? T : Koa.Response;
  query: FrameworkTypes extends { request: { query: infer T } } ? T : Koa.Request['query'];
}

/** The class to extend in `app/extend/context`, as in Egg 4: its members are copied, not inherited. */
export class Context {}

export type Next = () => Promise<unknown>;
export type Middleware = (ctx: Context, next: Next) => unknown;

/** Names below `app.controller`, of directories, files and actions: `home.index`, `admin.user`. */
type NamesOf<Tree> = {
  [Name in keyof Tree & string]: Tree[Name] extends (...args: never[]) => unknown
    ? Name
    : Name | `${Name}.${NamesOf<Tree[Name]>}`;
}[keyof Tree & string];

/** A controller by its name: one that `clutch types` has found, or any text where no controllers are declared. */
export type ControllerName = [keyof IController] extends [never] ? string : NamesOf<IController>;

/** The last argument of a route. */
export type RouteController = ControllerName | Middleware | ControllerMethods;
export type ControllerMethods = (new (ctx: Context) => object) | Record<string, unknown>;

/** The messages of an app by action, declared once: `interface IMessages { 'user.changed': { id: string } }`. */
// biome-ignore lint/suspicious/noEmptyInterface: filled by the app
export interface IMessages {}

/** The requests of an app by action: `interface IRequests { 'user.load': { data: string; reply: User } }`. */
// biome-ignore lint/suspicious/noEmptyInterface: filled by the app
export interface IRequests {}

/** The streams between processes by action: `interface IStreams { 'orders': { data: { since: number }; value: Order } }`. */
// biome-ignore lint/suspicious/noEmptyInterface: filled by declaration merging
export interface IStreams {}
