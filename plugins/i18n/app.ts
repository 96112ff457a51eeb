import type { Application } from '../../framework/index.js';
import { translatorOf } from './translator.js';

interface WithGettext {
  gettext: (...args: unknown[]) => string;
}

export default class I18nBoot {
  readonly #app: Application;

  constructor(app: Application) {
    this.#app = app;
  }

  configDidLoad(): void {
    // A wrong locale file stops the boot.
    translatorOf(this.#app);
    addToLocals(this.#app.context);
  }
}

/** Templates have `__` and `gettext`. Where the locals are made, so that a request without a template makes none. */
function addToLocals(context: object): void {
  for (const name of ['locals', 'state']) {
    const original = descriptorOf(context, name);
    Object.defineProperty(context, name, {
      ...original,
      get(this: WithGettext) {
        const locals = original.get?.call(this) as Record<string, unknown>;
        if (!Object.hasOwn(locals, 'gettext')) {
          const gettext = (...args: unknown[]): string => this.gettext(...args);
          locals['gettext'] = gettext;
          locals['__'] = gettext;
        }
        return locals;
      },
    });
  }
}

function descriptorOf(object: object, name: string): PropertyDescriptor {
  const own = Object.getOwnPropertyDescriptor(object, name);
  return own ?? descriptorOf(Object.getPrototypeOf(object), name);
}
