// The table of config keys, by which `clutch doctor` says that nothing reads a key, follows the sources.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { CONFIG_KEYS } from '../../../cli/doctor/config_keys.js';
import { ROOT } from '../../support/apps.js';
import { loadApp } from '../../support/loaded_app.js';

/** Types of the config by key; `Cookies.SetOption` of a library is left out. */
const TYPES: Record<string, string[]> = {
  bodyParser: ['framework/lib/body/options.ts BodyParserConfig'],
  cookies: ['framework/lib/http/cookies.ts CookiesConfig', 'framework/lib/http/cookies.ts CookieOptions'],
  notfound: ['framework/lib/config.ts NotFoundConfig'],
  logger: ['framework/lib/logger/loggers.ts LoggerConfig', 'framework/lib/logger/logger.ts LoggerOptions'],
  clusterClient: ['leader/client_types.ts ClusterClientOptions'],
  development: ['plugins/development/lib/types.ts DevelopmentConfig'],
  static: ['plugins/static/lib/options.ts StaticConfig', 'plugins/static/lib/options.ts StaticDirectory'],
  logrotator: ['plugins/logrotator/lib/rotators.ts LogrotatorConfig'],
  contract: ['plugins/contract/app.ts ContractConfig'],
  multipart: ['plugins/multipart/lib/types.ts MultipartConfig'],
  watcher: ['plugins/watcher/lib/types.ts WatcherConfig'],
  session: ['plugins/session/lib/options.ts SessionConfig'],
  onerror: ['plugins/onerror/lib/options.ts OnerrorConfig'],
  view: ['plugins/view/lib/options.ts ViewConfig'],
  cors: ['plugins/cors/lib/types.ts CorsConfig'],
  i18n: ['plugins/i18n/lib/options.ts I18nConfig'],
  security: ['plugins/security/lib/options.ts SecurityConfig'],
  fleet: ['plugins/fleet/lib/config.ts FleetConfig'],
  jobs: ['plugins/jobs/lib/options/options.ts JobsConfig'],
  jsonp: ['plugins/jsonp/lib/jsonp.ts JsonpOptions'],
};

/** Members of an interface that is written in the sources. */
function membersOf(type: string): string[] {
  const [file = '', name] = type.split(' ');
  const source = readFileSync(path.join(ROOT, file), 'utf8');
  const [block] = new RegExp(`interface ${name}\\b[^{]*\\{[\\s\\S]*?^\\}`, 'm').exec(source) ?? [];
  assert.ok(block, type);
  return [...block.matchAll(/^ {2}(\w+)\??[:(]/gm)].map(([, member]) => member as string);
}

test('the table has all that the types and the defaults of the built-ins have', (t) => {
  const defaults = loadApp(t).config as Record<string, unknown>;
  const missing: string[] = [];
  for (const [key, value] of Object.entries(defaults)) {
    if (!Object.hasOwn(CONFIG_KEYS, key)) missing.push(key);
    else if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
      missing.push(...absent(key, Object.keys(value)));
    }
  }
  for (const [key, types] of Object.entries(TYPES)) missing.push(...absent(key, types.flatMap(membersOf)));
  for (const key of membersOf('framework/lib/config.ts FrameworkConfig')) if (!CONFIG_KEYS[key]) missing.push(key);
  assert.deepEqual(missing, []);
});

/** Of a logger, `file` is for `customLogger`; `enable` is for all. */
function absent(key: string, names: string[]): string[] {
  const known = CONFIG_KEYS[key];
  const excused = new Set(['enable', ...(key === 'logger' ? ['file'] : [])]);
  if (known === undefined || known === '*') return [];
  return names.filter((name) => !known.includes(name) && !excused.has(name)).map((name) => `${key}.${name}`);
}

test('each name of the table is in the sources', () => {
  const cookie = [
    'expires',
    'priority',
    'partitioned',
    'secureProxy',
    'domain',
    'secure',
    'httpOnly',
    'sameSite',
    'overwrite',
  ];
  for (const [key, types] of Object.entries(TYPES)) {
    const members = new Set(types.flatMap(membersOf));
    const names = CONFIG_KEYS[key] as readonly string[];
    const unknown = names.filter((name) => !members.has(name) && !cookie.includes(name));
    assert.deepEqual(
      unknown.filter((name) => !(key === 'session' && name === 'removeUnpartitioned')),
      key === 'contract' ? ['checkResponse'] : [],
      key,
    );
  }
});
