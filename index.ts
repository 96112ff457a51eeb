export { type ClusterHandle, type ClusterOptions, startCluster } from './cluster/index.js';
export { EggMaster as Master } from './cluster/master/egg_master.js';
export {
  BaseContextClass,
  type BootHook,
  ClutchCore,
  ClutchCore as EggCore,
  type ParamsOf,
  type RouteContext,
  Router,
} from './core/index.js';
export * from './core/types.js';
export { ClutchError, type ErrorCode } from './errors.js';
export {
  type ApplicationOptions,
  BaseApplication as EggApplicationCore,
  Boot,
  type ClusterClient,
  type ClusterClientOptions,
  ContextHttpClient,
  type CookieGetOptions,
  CookieLimitExceedError,
  type CookieOptions,
  defineConfig,
  defineConfigFactory,
  defineExtend,
  definePluginFactory,
  type EggPluginMeta,
  FrameworkController as Controller,
  FrameworkController as Service,
  FrameworkController as Subscription,
  HttpClient,
  type LineFormatter,
  type LineMeta,
  type Logger,
  type LoggerOptions,
  type LogMeta,
  type Message,
  Singleton,
  type StartOptions,
  start,
  start as startEgg,
  Transport,
  type TransportOptions,
} from './framework/index.js';
// With a star: a module augmentation of an app or a plugin merges with what is exported this way only.
export * from './framework/lib/agent_class.js';
export * from './framework/lib/application_class.js';
export type * from './framework/lib/egg/egg_types.js';
export * from './framework/lib/types.js';
export {
  AgentWorkerLoader,
  type AppInfo,
  AppWorkerLoader,
  Loader as EggLoader,
  type LoaderOptions,
  type PluginDeclarations,
} from './loader/index.js';
export { reveal, type Secret, secret } from './output/secrets.js';
export {
  type ContextOf,
  type Contract,
  type ContractContext,
  type ContractSchemas,
  contract,
} from './plugins/contract/lib/contract.js';
export type { CorsConfig } from './plugins/cors/lib/types.js';
export type { DevelopmentConfig } from './plugins/development/lib/types.js';
export type { Fleet, FleetConfig, FleetMessenger } from './plugins/fleet/lib/types.js';
export type { I18nConfig } from './plugins/i18n/lib/types.js';
export {
  type AddedJob,
  type AddOptions,
  type Backoff,
  defineJob,
  type Job,
  type JobInfo,
  type JobOptions,
  type JobQueue,
  type JobState,
  type JobsConfig,
  type LoadedJob,
} from './plugins/jobs/lib/types.js';
export type { JsonpOptions } from './plugins/jsonp/lib/types.js';
export type { EventStream, ServerEvent, WebSocketHandler } from './plugins/live/lib/types.js';
export type { LogrotatorConfig } from './plugins/logrotator/lib/rotators.js';
export type { FilePart as FileStream } from './plugins/multipart/lib/types.js';
export type { OnerrorConfig } from './plugins/onerror/lib/options.js';
export type { ScheduleItem, ScheduleOptions, ScheduleStrategy } from './plugins/schedule/lib/members.js';
export type { SecurityConfig } from './plugins/security/lib/types.js';
export type { Session, SessionConfig, SessionStore } from './plugins/session/lib/types.js';
export type { StaticConfig, StaticDirectory } from './plugins/static/lib/types.js';
export type { ViewConfig, ViewEngine, ViewEngineClass, ViewOptions } from './plugins/view/lib/types.js';
export type { ChangeInfo, EventSource, WatcherConfig } from './plugins/watcher/client/members.js';
export type {
  BootTrace,
  Carrier,
  ControllerTrace,
  DeathTrace,
  HookTrace,
  HttpClientTrace,
  JobTrace,
  MessageTrace,
  MiddlewareTrace,
  ReloadTrace,
  RequestTrace,
  ScheduleTrace,
  ServiceTrace,
  TraceName,
  TracePayloads,
  ViewTrace,
} from './tracing/payloads.js';
