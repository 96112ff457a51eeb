import { readdirSync } from 'node:fs';
import path from 'node:path';
import { nearest } from '../../../resolve/nearest.js';
import type { Finding } from '../finding.js';

export interface EnvironmentFacts {
  /** The server env. */
  env: string;
  nodeEnv: string | undefined;
  /** Names of the files in `config/`. */
  configFiles: readonly string[];
}

/** Envs that need no config file of their own. */
const USUAL = ['local', 'unittest', 'prod', 'default'];

export function gatherEnvironment(baseDir: string, env: string): EnvironmentFacts {
  let configFiles: string[] = [];
  try {
    configFiles = readdirSync(path.join(baseDir, 'config'));
  } catch {
    // An app can do without config files.
  }
  return { env, nodeEnv: process.env['NODE_ENV'], configFiles };
}

export function checkEnvironment({ env, nodeEnv, configFiles }: EnvironmentFacts): Finding[] {
  const findings: Finding[] = [];
  const where = 'EGG_SERVER_ENV, or the file config/env, and NODE_ENV';
  if (env === 'prod' && nodeEnv !== 'production') {
    findings.push({
      level: 'warning',
      what: `the env is "prod", and NODE_ENV is ${nodeEnv ?? 'not set'}: libraries run as in development, slower and with details in errors`,
      where,
      fix: 'export NODE_ENV=production (`clutch start` sets it)',
    });
  }
  if ((env === 'local' || env === 'unittest') && nodeEnv === 'production') {
    findings.push({
      level: 'warning',
      what: `NODE_ENV is production, and the env is "${env}": errors show their stack to clients, files are watched`,
      where,
      fix: 'export EGG_SERVER_ENV=prod',
    });
  }
  const known = configFiles.flatMap((file) => /^(?:config|plugin)\.(.+)\.[cm]?[jt]s$/.exec(file)?.[1] ?? []);
  if (!USUAL.includes(env) && !known.includes(env)) {
    const meant = nearest(env, [...USUAL, ...known]);
    findings.push({
      level: 'warning',
      what: `there is neither config.${env} nor plugin.${env}: the env "${env}" has the defaults only`,
      where: 'config/',
      fix: meant
        ? `Did you mean EGG_SERVER_ENV=${meant}?`
        : `Write config/config.${env}.js, or correct EGG_SERVER_ENV.`,
    });
  }
  return findings;
}
