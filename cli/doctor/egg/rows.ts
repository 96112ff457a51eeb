/** `differs`: a row of docs/differences.md. `deprecated`: works, and has a successor. `replaced`: Clutch has it built in. */
export type Kind = 'differs' | 'deprecated' | 'replaced';

export interface Row {
  kind: Kind;
  /** A name of Egg's API in code without comments. */
  pattern: RegExp;
  /** Files that it is looked for in, relative to the app; default all of the app's code. */
  files?: RegExp;
  what: string;
  fix: string;
}

const CONFIG = /^config\//;

/** What is found by its name. Behaviour that no name gives away, such as the order of headers and errors, is in docs/differences.md. */
export const ROWS: readonly Row[] = [
  {
    kind: 'differs',
    pattern: /\.curl\(/,
    what: 'HTTP client: urllib 4; `ctx.curl` is aborted when the client of ctx leaves; an error has status and headers in `error.res` only',
    fix: 'httpclient.abortWithClient: false lets requests go on; read error.res.status',
  },
  {
    kind: 'differs',
    pattern: /\benableDNSCache\b|\bhttpclient\.(?:lookup|useHttpClientNext)\b/,
    files: CONFIG,
    what: 'HTTP client: options of urllib 2 that urllib 4 lacks are warned about at boot',
    fix: 'Remove those that the boot names.',
  },
  {
    kind: 'differs',
    pattern: /\bagent\s+instanceof\b/,
    what: 'Koa in the Agent: it is loaded when something of it is used; until then `agent instanceof Koa` is false',
    fix: 'Read agent.context before.',
  },
  {
    kind: 'differs',
    pattern: /\bencrypt:\s*true\b/,
    what: 'encrypted cookies: AES-256-GCM; Egg’s are read, and Egg cannot read the new ones',
    fix: "cookies.eggFormat: 'write' for as long as servers of Egg run beside",
  },
  {
    kind: 'differs',
    pattern: /\basync\s+(?:configWillLoad|configDidLoad)\b/,
    files: /^(?:app|agent)\.[cm]?[jt]s$/,
    what: '`async` hooks where Egg does not wait: one that awaits fails the boot',
    fix: 'Await in didLoad.',
  },
  {
    kind: 'differs',
    pattern: /(?:exports\s*=|export\s+default)\s*async\b/,
    files: /^app\/router\.[cm]?[jt]s$/,
    what: 'an async app/router is refused',
    fix: 'Await in didLoad of app.js, and declare routes synchronously.',
  },
  {
    kind: 'differs',
    pattern: /\b(?:loadToApp|loadToContext)\(|\bloadController\(\s*\{/,
    what: 'a second load into a property of app or ctx adds to it; a clash is an error with both files',
    fix: 'Set the property to {} before, to replace what is there.',
  },
  {
    kind: 'differs',
    pattern:
      /\bset\(\s*['"](?:x-frame-options|x-xss-protection|strict-transport-security|x-content-type-options|x-download-options|content-security-policy)['"]/i,
    what: 'security headers are set before the handler: its own stays',
    fix: 'Leave the header to config.security.',
  },
  {
    kind: 'differs',
    pattern: /\bworkerStartTimeout\b/,
    files: CONFIG,
    what: 'workerStartTimeout fails the boot in one process as well',
    fix: 'A longer time; 0 for no limit.',
  },
  {
    kind: 'differs',
    pattern: /\bpathToRegexpModule\b/,
    what: 'patterns of routes are those of path-to-regexp 1, always',
    fix: 'Remove it, and write patterns of path-to-regexp 1.',
  },
  {
    kind: 'differs',
    pattern: /\bsaveRequestFiles\(|\brequest\.files\b|\bmode:\s*['"]file['"]/,
    what: 'saved files of multipart go with the response',
    fix: 'multipart.autoCleanup: false keeps them',
  },
  {
    kind: 'differs',
    pattern: /\b(?:interval|cron)\s*:/,
    files: /^app\/schedule\//,
    what: 'a schedule that is due while its last run has not ended is skipped and logged',
    fix: "overlap: 'allow' runs both",
  },
  {
    kind: 'differs',
    pattern: /['"]@eggjs\/tegg(?:['"/-])|['"]egg\/(?:decorator|helper|orm|dal)['"]/,
    what: 'modules and decorators of tegg are not part of Clutch',
    fix: 'Write controllers and services as classes in app/controller and app/service.',
  },
  {
    kind: 'deprecated',
    pattern: /\b(?:app|agent)\.(?:beforeStart|readyCallback)\(/,
    what: 'beforeStart and readyCallback work; the class of hooks is their successor since Egg 2.9',
    fix: 'didLoad or willReady of a class in app.js (docs/lifecycle.md)',
  },
  {
    kind: 'deprecated',
    pattern: /\bfunction\s*\*|(?:^|[{};])\s*(?:static\s+|async\s+)?\*\s*\w+\s*\(/m,
    what: 'generator functions work, through co',
    fix: 'async functions; `yield` becomes `await`',
  },
  {
    kind: 'deprecated',
    pattern: /\bmaxProxyCount\b/,
    files: CONFIG,
    what: 'maxProxyCount is Egg’s older name, and keeps one address more',
    fix: 'maxIpsCount',
  },
  {
    kind: 'deprecated',
    pattern: /['"](?:egg-mock|@eggjs\/mock)(?:\/bootstrap)?['"]/,
    files: /^test\//,
    what: 'egg-mock works; Clutch has a test kit of the same names',
    fix: "import { app, mm } from 'koa-clutch/mock/bootstrap'",
  },
];

/** Plugins that are built in, by their package without its prefix. */
export const BUILT_IN: readonly string[] = [
  ...['onerror', 'session', 'i18n', 'watcher', 'multipart', 'security', 'development', 'logrotator', 'schedule'],
  ...['static', 'jsonp', 'view', 'cors'],
];

/** Tools of Egg that work with Clutch, and what Clutch has in their place. */
export const TOOLS: Readonly<Record<string, string>> = {
  ...namedTwice('bin', '`clutch dev`, `clutch test` and `clutch debug`'),
  ...namedTwice('scripts', '`clutch start --daemon` and `clutch stop`, which ends the app of its directory'),
  ...namedTwice('mock', 'koa-clutch/mock'),
  ...namedTwice('ts-helper', '`clutch types`'),
};

/** Under the name of Egg 3 and that of Egg 4. */
function namedTwice(tool: string, inItsPlace: string): Record<string, string> {
  return { [`egg-${tool}`]: inItsPlace, [`@eggjs/${tool}`]: inItsPlace };
}
