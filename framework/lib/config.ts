import type { ClusterClientOptions } from '../../leader/client_types.js';
import type { Secret } from '../../output/secrets.js';
import type { BodyParserConfig } from './body/options.js';
import type { OnClientError } from './http/client_error.js';
import type { CookiesConfig } from './http/cookies.js';
import type { HttpClientOptions } from './httpclient/options.js';
import type { LoggerOptions } from './logger/logger.js';
import type { LoggerConfig } from './logger/loggers.js';

export interface NotFoundConfig {
  pageUrl?: string;
  /** An HTML file; `{{path}}` is replaced by the path of the request. */
  template?: string;
}

/** Keys of `app.config` that the framework reads, with their types. */
export interface FrameworkConfig {
  /** Signs and encrypts cookies; a comma-separated list, of which the first key signs and all verify. */
  keys: string | Secret;
  /** Defaults of `ctx.cookies.set`, and options of all cookies. */
  cookies: CookiesConfig;
  /** Whether the app is behind a proxy whose headers may be trusted. */
  proxy: boolean;
  /** How many addresses of `ipHeaders` count, from the last one on; 0 for all. */
  maxIpsCount: number;
  maxProxyCount: number;
  confusedConfigurations: Record<string, string>;
  protocolHeaders: string;
  ipHeaders: string;
  hostHeaders: string;
  /** Protocol of a request that came without encryption and without a proxy's header; default `http`. */
  protocol?: string;
  rundir: string;
  dump: {
    ignore: Set<string | RegExp>;
    ignoreKeyPaths?: Record<string, unknown>;
    timing: { slowBootActionMinDuration: number };
  };
  /** Whether requests run in AsyncLocalStorage, so that `app.currentContext` and the app's loggers know their request. */
  asyncContext: boolean;
  /** Whether requests and responses are of Clutch's faster classes; false for Node's own. */
  http: { fast: boolean };
  /** Where HTML clients are redirected, or an HTML file that they get; without both a plain page. */
  notfound: NotFoundConfig;
  siteFile: { cacheControl: string; [path: string]: unknown };
  bodyParser: BodyParserConfig;
  logger: LoggerConfig;
  customLogger?: Record<string, Partial<LoggerOptions>>;
  meta: { enable: boolean; logging: boolean };
  httpclient: HttpClientOptions;
  /** Where an app worker reports whether it takes requests; false turns it off. */
  health: { path: string } | false;
  /** Milliseconds after which the boot of a process or an app that is not ready fails; 0 for no limit. */
  workerStartTimeout: number;
  /** Milliseconds of inactivity after which a connection is closed; null for Node's default. */
  serverTimeout: number | null;
  cluster: { listen: { path: string; port: number; hostname: string } };
  clusterClient: ClusterClientOptions;
  onClientError: OnClientError | null;
}
