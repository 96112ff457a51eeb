// The public members of Egg 3.34 and egg-core 5.5, and the exports of egg 4 and @eggjs/core 6, as a script has listed them: those without an underscore that Koa and EventEmitter do
// not have. Each is here, or the table below says why not.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as clutch from 'koa-clutch';
import { loadAgent, loadApp, writeApp } from '../support/loaded_app.js';

const MEMBERS: Record<string, string> = {
  exports: `Agent AgentWorkerLoader AppWorkerLoader Application BaseContextClass Boot Controller Service Subscription start startCluster`,
  'exports of egg-core': `BaseContextClass EggCore EggLoader utils`,
  'exports of Egg 4': `Agent AgentWorkerLoader AppWorkerLoader Application BaseContextClass Boot ClusterAgentWorkerError ClusterWorkerExceptionError Context ContextHttpClient Controller CookieLimitExceedError EggApplicationCore Helper HttpClient Master MessageUnhandledRejectionError Request Response Router Service Singleton Subscription defineConfig defineConfigFactory definePluginFactory start startCluster startEgg`,
  'exports of @eggjs/core': `BaseContextClass CaseStyle ClassLoader Context ContextLoader EGG_LOADER EXPORTS EggCore EggLoader FULLPATH FileLoader KoaApplication KoaContext KoaRequest KoaResponse Lifecycle Request Response Router Singleton Timing sequencify utils`,
  core: `BaseContextClass Controller Service all baseDir beforeClose beforeStart close config console ctxStorage del delete deprecate get head lifecycle loader name options patch plugins post put ready readyCallback redirect register resources router timing toAsyncFunction toPromise type url`,
  app: `BaseContextClass BaseHookClass Boot ContextCookies ContextHttpClient ContextLogger Controller FetchFactory Helper HttpClient HttpClientNext LogRotator Service Subscription addSingleton all baseDir beforeClose beforeStart close cluster config console controller coreLogger createAnonymousContext createHttpClient ctxStorage curl del delete deprecate dumpConfig dumpConfigToObject dumpTiming fetch get getLogger head httpClient httpclient injectCsrf injectHijackingDefense injectNonce jsonp keys lifecycle loader locals logger loggers messenger middlewares name onClientError onServer options patch plugins post put ready readyCallback redirect register resources router runInAnonymousContextScope runInBackground runSchedule safeCurl safeFetch scheduleWorker schedules server serviceClasses sessionStore timing toAsyncFunction toPromise type url view watcher`,
  agent: `BaseContextClass BaseHookClass Boot ContextCookies ContextHttpClient ContextLogger Controller FetchFactory HttpClient HttpClientNext LogRotator ScheduleStrategy Service Subscription TimerScheduleStrategy addSingleton agentAliveHandler all baseDir beforeClose beforeStart close cluster config console coreLogger createAnonymousContext createHttpClient ctxStorage curl del delete deprecate dumpConfig dumpConfigToObject dumpTiming fetch get getLogger head httpClient httpclient lifecycle loader logger loggers messenger name options patch plugins post put ready readyCallback redirect register resources router safeCurl safeFetch schedule schedules timing toAsyncFunction toPromise type url watcher`,
  loader: `ContextLoader FileLoader allPlugins app appInfo appPlugins config configMeta customPlugins dirs eggPaths eggPlugins getAppInfo getAppname getEggPaths getExtendFilePaths getHomedir getLoadUnits getLookupDirs getOrderPlugins getPluginPath getServerEnv getServerScope getTypeFiles lifecycle load loadAgentExtend loadAppPlugins loadApplicationExtend loadBootHook loadConfig loadContextExtend loadController loadCustomAgent loadCustomApp loadCustomLoader loadCustomPlugins loadEggPlugins loadExtend loadFile loadHelperExtend loadMiddleware loadPlugin loadRequestExtend loadResponseExtend loadRouter loadService loadToApp loadToContext lookupDirs mergePluginConfig normalizePluginConfig options orderPlugins pkg plugins readPluginConfigs requireFile resolveModule serverEnv serverScope timing`,
  lifecycle: `addBootHook addFunctionAsBootHook app bootReady close init legacyReadyCallback loadReady logger options ready readyTimeout registerBeforeClose registerBeforeStart timing triggerConfigDidLoad triggerConfigWillLoad triggerDidLoad triggerDidReady triggerServerDidReady triggerWillReady`,
  timing: `clear disable enable end init itemToString start toJSON toString`,
  router: `all allowedMethods app del match methods middleware opts param params patchRouterMethod pathFor prefix redirect register resources route routes stack url use`,
  messenger: `broadcast close egg send sendRandom sendTo sendToAgent sendToApp`,
  context: `acceptJSON acceptJSONP assertCsrf cleanupRequestFiles coreLogger createJsonpBody csrf curl ensureCsrfSecret getFileStream getLogger gettext helper httpclient isSafeDomain locale locals logger multipart nonce queries realStatus render renderString renderView rotateCsrfSecret router runInBackground safeCurl saveRequestFiles securityOptions service session sessionOptions state unsafeRedirect view`,
  request: `acceptJSON queries`,
  response: `realStatus unsafeRedirect`,
  helper: `cliFilter escape escapeShellArg escapeShellCmd logger pathFor shtml sjs sjson spath surl urlFor`,
  FileLoader: `EXPORTS FULLPATH load parse`,
};

/** Members that are not here, and why. */
const NOT_HERE: [owners: string[], names: string, why: string][] = [
  [['exports of egg-core'], 'utils', 'internals of egg-core'],
  [
    ['exports of Egg 4'],
    'ClusterAgentWorkerError ClusterWorkerExceptionError MessageUnhandledRejectionError',
    'names of errors that the Master and the messenger only log: no app can catch one',
  ],
  [
    ['exports of @eggjs/core'],
    'CaseStyle ClassLoader EGG_LOADER EXPORTS FULLPATH sequencify utils',
    'internals of @eggjs/core',
  ],
  [['exports of @eggjs/core'], 'ContextLoader FileLoader', 'app.loader.ContextLoader and app.loader.FileLoader'],
  [['exports of @eggjs/core'], 'Lifecycle Timing', 'app.lifecycle and app.timing'],
  [
    ['exports of @eggjs/core'],
    'KoaApplication KoaContext KoaRequest KoaResponse',
    'those of Koa: app.context, app.request, app.response',
  ],
  [['app', 'agent'], 'FetchFactory HttpClientNext', 'there is one HTTP client, which app.fetch and app.curl share'],
  [['app', 'agent'], 'schedules', 'app.scheduleWorker and agent.schedule'],
  [['app'], 'onClientError onServer', 'internals; config.onClientError and the event server'],
  [['agent'], 'ContextCookies', 'an Agent has no cookies'],
  [['agent'], 'LogRotator agentAliveHandler', 'internals'],
  [['loader'], 'loadBootHook mergePluginConfig normalizePluginConfig readPluginConfigs', 'steps inside of loadPlugin'],
  [['lifecycle'], 'bootReady legacyReadyCallback loadReady readyTimeout', 'internals'],
  [['lifecycle'], 'logger options ready', 'app.coreLogger, app.options and app.ready'],
  [
    ['lifecycle'],
    'triggerConfigDidLoad triggerDidLoad triggerDidReady triggerWillReady',
    'triggerConfigWillLoad begins the chain, and each step begins the next one',
  ],
  [['timing'], 'init itemToString', 'internals'],
  [['router'], 'patchRouterMethod', 'internals'],
  [['messenger'], 'egg', 'internals'],
];

const OWNERS: Record<string, (t: Parameters<typeof loadApp>[0]) => object> = {
  exports: () => clutch,
  'exports of egg-core': () => clutch,
  'exports of Egg 4': () => clutch,
  'exports of @eggjs/core': () => clutch,
  core: (t) => new clutch.EggCore({ baseDir: writeApp(t) }),
  app: loaded,
  agent: (t) => loadAgent(t, KEYS),
  loader: (t) => loaded(t).loader,
  lifecycle: (t) => loaded(t).lifecycle,
  timing: (t) => loaded(t).timing,
  router: (t) => loaded(t).router,
  messenger: (t) => loaded(t).messenger,
  context: (t) => loaded(t).context,
  request: (t) => loaded(t).request,
  response: (t) => loaded(t).response,
  helper: (t) => loaded(t).Helper.prototype as object,
  FileLoader: (t) => {
    const { FileLoader } = loaded(t).loader;
    return Object.assign(Object.create(FileLoader.prototype), { ...FileLoader }) as object;
  },
};

const KEYS = { 'config/config.default.js': 'exports.keys = "k";' };

function loaded(t: Parameters<typeof loadApp>[0]) {
  return loadApp(t, KEYS);
}

for (const [owner, names] of Object.entries(MEMBERS)) {
  test(`${owner} has the members of Egg’s`, (t) => {
    const found = (OWNERS[owner] as (typeof OWNERS)[string])(t);
    const missing = names.split(' ').filter((name) => !(name in found));
    const excused = NOT_HERE.flatMap(([owners, list]) => (owners.includes(owner) ? list.split(' ') : []));
    assert.deepEqual(missing, excused.sort());
  });
}
