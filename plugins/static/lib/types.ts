import type { StaticConfig, StaticDirectory } from './options.js';

export type { StaticConfig, StaticDirectory };

declare module '../../../core/types.js' {
  interface KnownConfig {
    static?: StaticConfig;
  }
}
