import { BUILT_IN, type Kind, ROWS, TOOLS } from './rows.js';

/** A file of the app with its text. */
export interface SourceText {
  /** Relative to the app, with slashes. */
  file: string;
  text: string;
}

export interface EggFinding {
  kind: Kind | 'write';
  file: string;
  line: number;
  what: string;
  fix: string;
}

/** A string, which is kept, or a comment. */
const STRING_OR_COMMENT = /('(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*"|`(?:\\[\s\S]|[^`\\])*`)|\/\*[\s\S]*?\*\/|\/\/.*/g;

/** Finds rows of the table by names in the code of an app; one finding for each row and file, at its first line. */
export function scanSources(sources: readonly SourceText[]): EggFinding[] {
  return sources.flatMap(({ file, text }) => {
    const code = text.replace(STRING_OR_COMMENT, (match, kept) => kept ?? match.replace(/[^\n]/g, ' '));
    return ROWS.flatMap(({ kind, pattern, files, what, fix }) => {
      if (files ? !files.test(file) : file.startsWith('test/')) return [];
      const found = pattern.exec(code);
      return found ? [{ kind, file, line: lineOf(code, found.index + found[0].search(/\S/)), what, fix }] : [];
    });
  });
}

function lineOf(text: string, index: number): number {
  return text.slice(0, index).split('\n').length;
}

/**
 * Finds what an app's package.json has of Egg.
 *
 * @param text of package.json
 * @param declared text of the files `config/plugin.*`
 */
export function scanPackage(text: string, declared: string): EggFinding[] {
  const pkg = JSON.parse(text) as Record<string, Record<string, unknown> | undefined>;
  const findings: EggFinding[] = [];
  const all = { ...pkg['devDependencies'], ...pkg['dependencies'] };
  for (const [name, version] of Object.entries(all)) {
    const at = { file: 'package.json', line: lineOf(text, text.indexOf(`"${name}"`)) };
    const [, key = ''] = /^(?:egg-|@eggjs\/)(.+)$/.exec(name) ?? [];
    if (name === 'egg' && !String(version).startsWith('npm:')) {
      const fix = '"egg": "npm:koa-clutch"';
      findings.push({ kind: 'write', ...at, what: `Egg ${version} is what \`require('egg')\` finds`, fix });
    } else if (BUILT_IN.includes(key)) {
      const isDeclared = new RegExp(`package:\\s*['"]${name}['"]`).test(declared);
      const what = `${name} is replaced by the built-in plugin "${key}"`;
      const fix = isDeclared
        ? `Remove \`package: '${name}'\` from config/plugin to use it: with it, ${name} is loaded; then npm uninstall ${name}`
        : `npm uninstall ${name}`;
      findings.push({ kind: 'replaced', ...at, what, fix });
    } else if (Object.hasOwn(TOOLS, name)) {
      const isTried = !name.startsWith('@');
      const what = isTried
        ? `${name} works; Clutch has ${TOOLS[name]}`
        : `Clutch has ${TOOLS[name]} in the place of ${name}`;
      findings.push({
        kind: 'replaced',
        ...at,
        what,
        fix: isTried ? 'It may stay.' : 'Take that: it was not tried with Clutch.',
      });
      // egg-mock 5 has Egg 3 as a peer, which npm compares with the version of Clutch.
      if (name === 'egg-mock' && !Object.hasOwn(pkg['overrides'] ?? {}, 'egg')) {
        const what = 'npm install ends with ERESOLVE: egg-mock asks for a version of Egg';
        findings.push({ kind: 'write', ...at, what, fix: '"overrides": { "egg": "$egg" } in package.json' });
      }
    }
  }
  return findings;
}
