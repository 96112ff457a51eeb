import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';

const COMMENT = /\/\*[\s\S]*?\*\/|(?:^|\s)\/\/.*$/gm;
const EXTENDS = /"extends"\s*:\s*(\[[^\]]*\]|"[^"]*")/;

/** @returns whether a tsconfig.json, or what it extends, turns an option of the compiler on; read without TypeScript, which loads slowly */
export function turnsOn(tsconfig: string, option: string): boolean {
  return optionOf(tsconfig, option, new Set()) === 'true';
}

function optionOf(file: string, option: string, seen: Set<string>): string | undefined {
  if (seen.has(file)) return undefined;
  seen.add(file);
  const text = read(file).replaceAll(COMMENT, '');
  const own = new RegExp(`"${option}"\\s*:\\s*(true|false)`).exec(text)?.[1];
  if (own !== undefined) return own;
  const names = [...(EXTENDS.exec(text)?.[1] ?? '').matchAll(/"([^"]+)"/g)].map(([, name]) => name as string);
  for (const name of names.reverse()) {
    const base = resolveBase(file, name);
    const value = base && optionOf(base, option, seen);
    if (value) return value;
  }
  return undefined;
}

function resolveBase(file: string, name: string): string | undefined {
  const require = createRequire(file);
  for (const candidate of [name, `${name}.json`, `${name}/tsconfig.json`]) {
    try {
      const found = require.resolve(candidate);
      if (found.endsWith('.json')) return found;
    } catch {
      // The next name may be the one; TypeScript itself reports one that is nowhere.
    }
  }
  return undefined;
}

function read(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}
