import { readFileSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { ClutchError } from '../../errors.js';
import { assertAppDirectory } from '../../resolve/package.js';

/** How the value of an option is checked; `Given` is what the caller may write, `Value` what the cluster gets. */
export interface Kind<Given, Value> {
  /** Type and range, for the documentation. */
  type: string;
  /** @throws {ClutchError} ERR_CLUTCH_OPTION, ERR_CLUTCH_NOT_FOUND naming the option */
  parse(key: string, given: unknown, baseDir: string): Value | undefined;
  /** Carries the type only. */
  readonly given?: Given;
}

export interface HttpsOptions {
  /** Path of the key file, or the key itself. */
  key?: string | Buffer;
  /** Path of the certificate file, or the certificate itself. */
  cert?: string | Buffer;
  ca?: string | Buffer;
  passphrase?: string;
}

const LONGEST = 2 ** 31 - 1;

export function integer(least: number, most = LONGEST): Kind<number | string, number> {
  const range = most === LONGEST ? `from ${least} on` : `from ${least} to ${most}`;
  return {
    type: `number, ${range}`,
    parse(key, given) {
      if (isUnset(given)) return undefined;
      const number = typeof given === 'string' ? Number(given) : given;
      if (typeof number === 'number' && Number.isInteger(number) && number >= least && number <= most) return number;
      throw optionError(key, given, `Give a whole number ${range}.`);
    },
  };
}

/** How many app workers there may be. */
export interface WorkerRange {
  min: number;
  max: number;
  /** Milliseconds for which event loops must be busy until there is one worker more. */
  growAfter: number;
  /** Milliseconds for which they must be idle until there is one less. */
  shrinkAfter: number;
}

export interface WorkerOptions {
  min: number | string;
  max: number | string;
  /** Default 60000. */
  growAfter?: number;
  /** Default 300000. */
  shrinkAfter?: number;
}

export const workerCount = integer(1, 1024);
/** 0 for one process without a Master. */
const workerCountOrNone = integer(0, 1024);

export const workerRange: Kind<number | string | WorkerOptions, WorkerRange> = {
  type: 'number, from 0 to 1024, or `{ min, max, growAfter?, shrinkAfter? }`, or `min-max`',
  parse(key, given) {
    const [, least, most] = typeof given === 'string' ? (/^(\d+)[-:](\d+)$/.exec(given) ?? []) : [];
    const options = least === undefined ? given : { min: least, max: most };
    if (typeof options !== 'object' || options === null) {
      const count = workerCountOrNone.parse(key, given, '');
      return count === undefined ? undefined : { min: count, max: count, growAfter: 0, shrinkAfter: 0 };
    }
    const { min, max, growAfter, shrinkAfter } = options as Partial<WorkerOptions>;
    const range = {
      min: workerCount.parse(`${key}.min`, min, ''),
      max: workerCount.parse(`${key}.max`, max, ''),
      growAfter: integer(1).parse(`${key}.growAfter`, growAfter, '') ?? 60_000,
      shrinkAfter: integer(1).parse(`${key}.shrinkAfter`, shrinkAfter, '') ?? 300_000,
    };
    if (range.min !== undefined && range.max !== undefined && range.min <= range.max) return range as WorkerRange;
    throw optionError(key, given, 'Give { min, max }, min no more than max.');
  },
};

export const text: Kind<string, string> = {
  type: 'string',
  parse(key, given) {
    if (isUnset(given)) return undefined;
    if (typeof given === 'string') return given;
    throw optionError(key, given, 'Give a string.');
  },
};

export const boolean: Kind<boolean, boolean> = {
  type: 'boolean',
  parse(key, given) {
    if (isUnset(given)) return undefined;
    if (typeof given === 'boolean') return given;
    throw optionError(key, given, 'Give true or false.');
  },
};

export function oneOf<T extends string>(...allowed: T[]): Kind<T, T> {
  return {
    type: allowed.map((each) => `\`${each}\``).join(', '),
    parse(key, given) {
      if (isUnset(given)) return undefined;
      const found = allowed.find((each) => each === given);
      if (found !== undefined) return found;
      throw optionError(key, given, `Give one of: ${allowed.join(', ')}.`);
    },
  };
}

export const strings: Kind<string[], string[]> = {
  type: 'strings',
  parse(key, given) {
    if (isUnset(given)) return undefined;
    if (Array.isArray(given) && given.every((each) => typeof each === 'string')) return given;
    throw optionError(key, given, 'Give an array of strings.');
  },
};

export const modules: Kind<string | string[], string[]> = {
  type: 'string or strings',
  parse(key, given, baseDir) {
    return [given ?? []].flat().map((file: unknown) => {
      if (typeof file !== 'string') throw optionError(key, file, 'Give names or paths of modules.');
      return file.startsWith('.') ? path.resolve(baseDir, file) : file;
    });
  },
};

/** One module, by its path or the name of a package; the URL of its file. */
export const module: Kind<string, string> = {
  type: 'string',
  parse(key, given, baseDir) {
    if (isUnset(given)) return undefined;
    if (typeof given !== 'string') throw optionError(key, given, 'Give the name or path of a module.');
    try {
      return pathToFileURL(createRequire(path.join(baseDir, 'package.json')).resolve(given)).href;
    } catch (cause) {
      throw new ClutchError('ERR_CLUTCH_NOT_FOUND', `module ${given} cannot be found`, {
        where: `option ${key}`,
        fix: 'Give a path that begins with ./ and is relative to the app, or a package that is installed there.',
        cause,
      });
    }
  },
};

export const ports: Kind<number[], number[]> = {
  type: 'numbers',
  parse(key, given) {
    if (isUnset(given)) return undefined;
    if (!Array.isArray(given)) throw optionError(key, given, 'Give an array of ports.');
    return given.map((port, index) => integer(1, 65_535).parse(`${key}[${index}]`, port, '') as number);
  },
};

export const appDirectory: Kind<string, string> = {
  type: 'path',
  parse(key, given) {
    if (typeof given !== 'string') throw optionError(key, given, 'Give the directory of the app.');
    const dir = path.resolve(given);
    if (statSync(path.join(dir, 'package.json'), { throwIfNoEntry: false })?.isFile()) {
      assertAppDirectory(dir, `option ${key}`);
      return dir;
    }
    throw new ClutchError('ERR_CLUTCH_NOT_FOUND', `${path.join(dir, 'package.json')} should exist`, {
      where: `option ${key}`,
      fix: 'Give the directory of an app.',
    });
  },
};

export const https: Kind<HttpsOptions | false, HttpsOptions | false> = {
  type: '`{ key, cert, ca?, passphrase? }` or `false`',
  parse(key, given) {
    if (given === false || isUnset(given)) return given === false ? false : undefined;
    if (typeof given !== 'object') throw optionError(key, given, 'Give { key, cert }.');
    const checked: HttpsOptions = { ...given };
    for (const leaf of ['key', 'cert', 'ca'] as const) {
      const pem: unknown = checked[leaf];
      if (pem === undefined) continue;
      if (Buffer.isBuffer(pem)) checked[leaf] = pem.toString();
      else if (typeof pem !== 'string')
        throw optionError(`${key}.${leaf}`, pem, 'Give the path of a PEM file, or PEM.');
      else if (!isPem(pem)) checkReadable(`${key}.${leaf}`, pem);
    }
    return checked;
  },
};

/** Whether a key or certificate is the PEM text itself, and not the path of its file. */
export function isPem(given: string): boolean {
  return given.includes('-----BEGIN ');
}

function checkReadable(key: string, file: string): void {
  try {
    readFileSync(file);
  } catch (cause) {
    throw new ClutchError('ERR_CLUTCH_NOT_FOUND', `${file} should exist`, {
      where: `option ${key}: ${(cause as Error).message}`,
      fix: 'Correct the path.',
      cause,
    });
  }
}

function isUnset(given: unknown): boolean {
  return given === undefined || given === null || given === '';
}

export function optionError(key: string, value: unknown, fix: string): ClutchError {
  return new ClutchError('ERR_CLUTCH_OPTION', `option ${key} is ${JSON.stringify(value)}`, { fix });
}
