import { BaseContextClass } from '../core/index.js';
import type { Application } from './application_class.js';

/** Logs with the name of the class in front of the message. */
export class ContextLogger {
  readonly #owner: BaseContextClass;

  constructor(owner: BaseContextClass) {
    this.#owner = owner;
  }

  #log(level: 'DEBUG' | 'INFO' | 'WARN' | 'ERROR', args: unknown[]): void {
    const { pathName, ctx, app } = this.#owner;
    const [first, ...rest] = args;
    const named = pathName && typeof first === 'string' ? [`[${pathName}] ${first}`, ...rest] : args;
    (app as unknown as Application).logger.log(level, named, ctx as never);
  }

  debug(...args: unknown[]): void {
    this.#log('DEBUG', args);
  }

  info(...args: unknown[]): void {
    this.#log('INFO', args);
  }

  warn(...args: unknown[]): void {
    this.#log('WARN', args);
  }

  error(...args: unknown[]): void {
    this.#log('ERROR', args);
  }
}

/** `BaseContextClass` with a logger: the `Controller`, `Service` and `Subscription` that apps extend. */
export class FrameworkController extends BaseContextClass {
  #logger: ContextLogger | undefined;

  get logger(): ContextLogger {
    return (this.#logger ??= new ContextLogger(this));
  }
}
