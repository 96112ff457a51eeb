const COOKIE = [
  'maxAge',
  'expires',
  'path',
  'domain',
  'secure',
  'httpOnly',
  'sameSite',
  'signed',
  'overwrite',
  'encrypt',
];

/**
 * Keys of the built-ins' config, with the names that each may hold; `*` where the app chooses them, or where there is no object.
 * A test compares it with the types and defaults in the sources.
 */
export const CONFIG_KEYS: Readonly<Record<string, readonly string[] | '*'>> = {
  env: '*',
  name: '*',
  pkg: '*',
  baseDir: '*',
  HOME: '*',
  keys: '*',
  cookies: [...COOKIE, 'priority', 'partitioned', 'removeUnpartitioned', 'eggFormat', 'autoChips', 'secureProxy'],
  proxy: '*',
  maxIpsCount: '*',
  maxProxyCount: '*',
  protocol: '*',
  protocolHeaders: '*',
  ipHeaders: '*',
  hostHeaders: '*',
  confusedConfigurations: '*',
  rundir: '*',
  dump: ['ignore', 'ignoreKeyPaths', 'timing'],
  asyncContext: '*',
  http: ['fast'],
  notfound: ['pageUrl', 'template'],
  siteFile: '*',
  bodyParser: [
    ...['encoding', 'enableTypes', 'extendTypes', 'detectJSON', 'formLimit', 'jsonLimit', 'textLimit', 'rawLimit'],
    ...['strict', 'queryString', 'onProtoPoisoning', 'onerror'],
  ],
  overrideMethod: ['allowedMethods'],
  logger: [
    ...['dir', 'encoding', 'level', 'consoleLevel', 'buffer', 'outputJSON', 'outputJSONOnly', 'formatter'],
    ...['contextFormatter', 'paddingMessageFormatter', 'concentrateError', 'maxCauseChainLength'],
    ...['disableConsoleAfterReady', 'allowDebugAtProd', 'enablePerformanceTimer', 'enableFastContextLogger'],
    ...['appLogName', 'coreLogName', 'agentLogName', 'errorLogName', 'coreLogger'],
  ],
  customLogger: '*',
  customLoader: '*',
  meta: ['logging'],
  httpclient: '*',
  coreMiddleware: '*',
  coreMiddlewares: '*',
  middleware: '*',
  appMiddleware: '*',
  appMiddlewares: '*',
  workerStartTimeout: '*',
  serverTimeout: '*',
  serverGracefulIgnoreCode: '*',
  cluster: ['listen', 'https'],
  health: ['path'],
  clusterClient: [
    ...['name', 'responseTimeout', 'maxWaitTime', 'heartbeatInterval', 'isBroadcast', 'autoGenerate'],
    ...['transcode', 'formatKey'],
  ],
  onClientError: '*',
  helper: ['shtml'],
  onerror: [
    ...['accepts', 'all', 'html', 'json', 'text', 'js', 'jsonp', 'errorPageUrl', 'appErrorFilter', 'templatePath'],
    ...['pages', 'problemDetails'],
  ],
  session: [
    ...COOKIE,
    ...['key', 'rolling', 'renew', 'autoCommit', 'logValue', 'store', 'ContextStore', 'externalKey', 'genid', 'prefix'],
    ...['encode', 'decode', 'valid', 'beforeSave', 'partitioned', 'priority', 'removeUnpartitioned'],
  ],
  i18n: [
    ...['defaultLocale', 'dirs', 'queryField', 'cookieField', 'cookieDomain', 'cookieMaxAge', 'localeAlias'],
    ...['writeCookie'],
  ],
  watcher: ['type', 'eventSources'],
  multipart: [
    ...['mode', 'fileModeMatch', 'autoFields', 'defaultCharset', 'fieldNameSize', 'fieldSize', 'fields', 'fileSize'],
    ...['files', 'fileExtensions', 'whitelist', 'allowArrayField', 'tmpdir', 'cleanSchedule', 'autoCleanup'],
  ],
  security: [
    ...['domainWhiteList', 'protocolWhiteList', 'defaultMiddleware', 'csrf', 'xframe', 'hsts', 'dta', 'methodnoallow'],
    ...['noopen', 'nosniff', 'referrerPolicy', 'xssProtection', 'csp', 'ssrf'],
  ],
  development: [
    ...['watchDirs', 'ignoreDirs', 'fastReady', 'reloadOnDebug', 'overrideDefault', 'overrideIgnore', 'reloadPattern'],
  ],
  logrotator: [
    ...['disableRotateByDay', 'filesRotateByHour', 'hourDelimiter', 'filesRotateBySize', 'maxFileSize', 'maxFiles'],
    ...['rotateDuration', 'maxDays', 'gzip', 'gzipDelay'],
  ],
  schedule: ['directory'],
  static: [
    ...['dir', 'prefix', 'maxAge', 'cacheControl', 'buffer', 'dynamic', 'preload', 'maxFiles', 'filter', 'gzip'],
    ...['precompressed', 'alias'],
  ],
  jsonp: ['limit', 'callback', 'csrf', 'whiteList'],
  view: ['root', 'cache', 'defaultExtension', 'defaultViewEngine', 'mapping'],
  cors: [
    ...['origin', 'allowMethods', 'allowHeaders', 'exposeHeaders', 'maxAge', 'credentials', 'keepHeadersOnError'],
    ...['secureContext', 'privateNetworkAccess'],
  ],
  contract: ['openapi', 'page', 'checkResponse'],
  live: ['heartbeat', 'sse', 'ws'],
  fleet: ['adapter', 'url', 'name', 'member', 'lease', 'timeout', 'client', 'session'],
  jobs: [
    ...['engine', 'url', 'client', 'name', 'file', 'concurrency', 'attempts', 'backoff', 'keep', 'lease', 'timeout'],
  ],
};

/** What the config of every middleware and plugin may hold besides. */
export const EVERYWHERE: readonly string[] = ['enable', 'match', 'ignore', 'package'];
