import type { BootHook, Context, EggAppConfig, Next } from '../../../core/index.js';
import type { AppInfo, PluginDeclaration } from '../../../loader/index.js';
import type { Agent } from '../agent_class.js';
import type { Application } from '../application_class.js';
import type { BaseApplication } from '../base_application.js';
import type { ContextHttpClient } from '../httpclient/context_http_client.js';
import type { CurlOptions, HttpClient } from '../httpclient/http_client.js';
import type { LevelName } from '../logger/levels.js';
import type { Logger } from '../logger/logger.js';
import type { CreateClient } from '../singleton.js';
import type { StartOptions } from '../start.js';

// Names under which apps of Egg import types.

/** All keys optional, at every depth. */
export type PowerPartial<T> = { [K in keyof T]?: T[K] extends object ? PowerPartial<T[K]> : T[K] };
/** What a config file gives. */
export type PartialEggConfig = PowerPartial<EggAppConfig>;
export type DefaultConfig = PartialEggConfig;
export type EggConfigFactory = (appInfo: AppInfo) => PartialEggConfig;
export type EggAppInfo = AppInfo;
export type EggEnvType = string;
export type IEggPluginItem = PluginDeclaration;
export type EggPluginItem = IEggPluginItem | boolean;
/** What `config/plugin` exports. */
export interface EggPlugin {
  [key: string]: EggPluginItem | undefined;
}
export type ILifecycleBoot = BootHook;
export type IBoot = BootHook;
export type EggContext = Context;
export type MiddlewareFunc<C extends Context = Context> = (ctx: C, next: Next) => unknown;
export type EggApplication = BaseApplication;
export type EggLogger = Logger;
export type LoggerLevel = LevelName;
export type EggHttpClient = HttpClient;
export type EggContextHttpClient = ContextHttpClient;
export type RequestOptions = CurlOptions;
export type HttpClientRequestOptions = CurlOptions;
export type { HttpClientResponse, RequestURL as HttpClientRequestURL } from 'urllib';
export type RequestObjectBody = Record<string, unknown>;
export type SingletonCreateMethod = CreateClient<Application, never, unknown>;
export type StartEggOptions = StartOptions;
export type SingleModeApplication = Application & { agent: Agent };
export type SingleModeAgent = Agent & { application: Application };
