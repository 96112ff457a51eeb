import type { App, AppConfig, Context, IService } from './types.js';

/** The base of controllers, services and subscriptions; an instance belongs to one context. */
export class BaseContextClass {
  readonly ctx: Context;
  readonly app: App;
  readonly config: AppConfig;
  readonly service: IService;
  /** e.g. `service.user`; set on the prototype by the loader. */
  declare readonly pathName?: string;
  /** The file of the class; set on the prototype by the loader. */
  declare readonly fullPath?: string;

  constructor(ctx: Context) {
    this.ctx = ctx;
    this.app = ctx.app;
    this.config = (ctx.app as { config: AppConfig }).config;
    this.service = ctx.service;
  }
}
