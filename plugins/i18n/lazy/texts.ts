import { readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { ClutchError } from '../../../errors.js';
import { normalizeLocale, type PluralForms, type Texts } from '../lib/options.js';

const require = createRequire(import.meta.url);

/** Loads a JavaScript, TypeScript or JSON file. */
type LoadFile = (file: string) => unknown;

/**
 * Reads the texts of all locales; a later directory adds to an earlier one.
 *
 * @throws {ClutchError} ERR_CLUTCH_CONFIG for a file that holds no texts
 */
export function readTexts(directories: readonly string[], loadFile: LoadFile): Map<string, Texts> {
  const locales = new Map<string, Texts>();
  for (const directory of directories) {
    for (const name of readdirSync(directory).sort()) {
      const { name: base, ext } = path.parse(name);
      if (!/^\.(?:[cm]?js|ts|json|ya?ml|properties)$/.test(ext) || name.endsWith('.d.ts')) continue;
      const locale = normalizeLocale(base);
      const texts = locales.get(locale) ?? new Map();
      for (const [key, text] of textsOf(path.join(directory, name), ext, loadFile)) texts.set(key, text);
      locales.set(locale, texts);
    }
  }
  return locales;
}

function textsOf(file: string, ext: string, loadFile: LoadFile): [string, string | PluralForms][] {
  const content = ext.startsWith('.y')
    ? parseYaml(file)
    : ext === '.properties'
      ? parseProperties(readFileSync(file, 'utf8'))
      : loadFile(file);
  if (typeof content !== 'object' || content === null || Array.isArray(content)) throw noTexts(file, 'not an object');
  return Object.entries(content).map(([key, text]) => {
    if (typeof text === 'string') return [key, text];
    if (typeof text === 'number' || typeof text === 'boolean') return [key, String(text)];
    if (typeof text?.other === 'string') return [key, text as PluralForms];
    throw noTexts(file, `the text of ${JSON.stringify(key)} is ${JSON.stringify(text)}`);
  });
}

function noTexts(file: string, what: string): ClutchError {
  return new ClutchError('ERR_CLUTCH_CONFIG', `a locale file holds no texts: ${what}`, {
    where: file,
    fix: "Map keys to texts, or to plural forms such as { one: '%d file', other: '%d files' }.",
  });
}

function parseYaml(file: string): unknown {
  const { parse } = require('yaml') as typeof import('yaml');
  try {
    return parse(readFileSync(file, 'utf8'));
  } catch (cause) {
    throw new ClutchError('ERR_CLUTCH_CONFIG', `a locale file is no YAML: ${(cause as Error).message}`, {
      where: file,
      cause,
    });
  }
}

/** Lines of `key = text` or `key: text`; `#` and `!` start a comment. */
function parseProperties(content: string): Record<string, string> {
  const entries: [string, string][] = [];
  for (const line of content.split(/\r?\n/)) {
    const [, key, text] = /^\s*([^#!\s=:][^=:]*?)\s*[=:]\s*(.*?)\s*$/.exec(line) ?? [];
    if (key !== undefined && text !== undefined) entries.push([key, text.replaceAll('\\n', '\n')]);
  }
  return Object.fromEntries(entries);
}
