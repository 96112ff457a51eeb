import { BaseContextClass } from '../../core/index.js';

import { type Level, LevelLogger } from './logger/levels.js';

/** Logs with the name of the class in front of the message. */
export class ContextLogger extends LevelLogger {
  readonly #owner: BaseContextClass;

  constructor(owner: BaseContextClass) {
    super();
    this.#owner = owner;
  }

  log(level: Level, args: unknown[]): void {
    const { pathName, ctx, app } = this.#owner;
    const [first, ...rest] = args;
    const named = pathName && typeof first === 'string' ? [`[${pathName}] ${first}`, ...rest] : args;
    app.logger.log(level, named, { ctx });
  }
}

/** `BaseContextClass` with a logger: the `Controller`, `Service` and `Subscription` that apps extend. */
export class FrameworkController extends BaseContextClass {
  #logger: ContextLogger | undefined;

  get logger(): ContextLogger {
    return (this.#logger ??= new ContextLogger(this));
  }
}
