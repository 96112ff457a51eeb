// Types of bootstrap.cjs, for `require`.
import type { BootstrapKit } from './bootstrap_kit.js' with { 'resolution-mode': 'import' };

export declare const app: BootstrapKit['app'];
export declare const assert: BootstrapKit['assert'];
export declare const mock: BootstrapKit['mock'];
export declare const mm: BootstrapKit['mm'];
