import path from 'node:path';
import type { AppInfo } from '../../loader/index.js';
import type { FrameworkConfig } from '../lib/config.js';

type Config = FrameworkConfig & Record<string, unknown>;

export default (appInfo: AppInfo): Config => ({
  env: appInfo.env,
  name: appInfo.name,
  pkg: appInfo.pkg,
  baseDir: appInfo.baseDir,
  HOME: appInfo.HOME,
  /** Signs cookies; a comma-separated list, the first one signs. */
  keys: '',
  cookies: {},
  /** Whether the app is behind a proxy whose headers may be trusted. */
  proxy: false,
  maxIpsCount: 0,
  /** Egg's older name: one address more is kept. */
  maxProxyCount: 0,
  protocolHeaders: 'x-forwarded-proto',
  ipHeaders: 'x-forwarded-for',
  hostHeaders: '',
  /** Keys that are likely to be misspelt, with those that are meant; a config that has one is warned about. */
  confusedConfigurations: {
    bodyparser: 'bodyParser',
    notFound: 'notfound',
    sitefile: 'siteFile',
    middlewares: 'middleware',
    httpClient: 'httpclient',
  },
  rundir: path.join(appInfo.baseDir, 'run'),
  /** Keys that dumps and logs hide besides those that are secret by their words, and from how many milliseconds on a boot step is warned about. */
  dump: {
    ignore: new Set<string | RegExp>([
      'pass',
      'pwd',
      'passd',
      'passwd',
      'password',
      'keys',
      'masterKey',
      'accessKey',
      /secret/i,
    ]),
    timing: { slowBootActionMinDuration: 5000 },
  },
  /** Run requests in AsyncLocalStorage, so that `app.currentContext` and the app's loggers know their request. */
  asyncContext: true,
  /** Whether requests and responses are of Clutch's faster classes; false for Node's own. */
  http: { fast: true },
  notfound: { pageUrl: '', template: '' },
  siteFile: { '/favicon.ico': Buffer.alloc(0), cacheControl: 'public, max-age=2592000' },
  bodyParser: {
    enable: true,
    encoding: 'utf8',
    formLimit: '1mb',
    jsonLimit: '1mb',
    textLimit: '1mb',
    rawLimit: '1mb',
    strict: true,
    queryString: { arrayLimit: 100, depth: 5, parameterLimit: 1000 },
    onProtoPoisoning: 'error',
  },
  logger: {
    dir: path.join(appInfo.root, 'logs', appInfo.name),
    encoding: 'utf8',
    level: 'INFO',
    consoleLevel: 'INFO',
    disableConsoleAfterReady: appInfo.env !== 'local' && appInfo.env !== 'unittest',
    buffer: true,
    outputJSON: false,
    outputJSONOnly: false,
    concentrateError: 'duplicate',
    maxCauseChainLength: 10,
    appLogName: `${appInfo.name}-web.log`,
    coreLogName: 'egg-web.log',
    agentLogName: 'egg-agent.log',
    errorLogName: 'common-error.log',
    coreLogger: {},
    allowDebugAtProd: false,
    enablePerformanceTimer: false,
    enableFastContextLogger: false,
  },
  meta: { enable: true, logging: false },
  httpclient: {
    request: { timeout: 5000 },
    /** For connections of both protocols; of `httpsAgent` the TLS options count. */
    httpAgent: { keepAlive: true, freeSocketTimeout: 4000, maxSockets: Number.MAX_SAFE_INTEGER, maxFreeSockets: 256 },
    httpsAgent: { keepAlive: true, freeSocketTimeout: 4000, maxSockets: Number.MAX_SAFE_INTEGER, maxFreeSockets: 256 },
    enableDNSCache: false,
    /** Aborts requests of `ctx.curl` when the client of `ctx` leaves. */
    abortWithClient: true,
  },
  coreMiddleware: ['meta', 'siteFile', 'notfound', 'bodyParser', 'overrideMethod'],
  /** Milliseconds after which the boot of a process or an app that is not ready fails; 0 for no limit. */
  workerStartTimeout: 10 * 60 * 1000,
  /** Milliseconds of inactivity after which a connection is closed; null for Node's default. */
  serverTimeout: null,
  cluster: { listen: { path: '', port: 7001, hostname: '' } },
  /** Where an app worker says whether it takes requests; false turns it off. */
  health: { path: '/-/ready' },
  clusterClient: { maxWaitTime: 60_000, responseTimeout: 60_000 },
  onClientError: null,
});
