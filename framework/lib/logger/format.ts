import { format } from 'node:util';
import { isHarmless, type Masker } from '../../../output/secrets.js';

/** Formats that are remembered; an app that builds its formats from data must not fill the memory. */
const REMEMBERED = 1000;

/** The texts between the places of a format, and what stands at each place. */
interface Template {
  texts: string[];
  kinds: ('s' | 'd')[];
  isHarmless: boolean;
}

const templates = new Map<string, Template | null>();

/**
 * `util.format` with secrets masked. A short way for the calls that logs are full of: `%s` with a string or a number and `%d`
 * with a number, as many as there are arguments, and nothing in them that could be a part of a secret.
 */
export function formatText(args: readonly unknown[], masker: Masker): string {
  const first = args[0];
  const template = typeof first === 'string' ? templateOf(first) : null;
  if (template === null || template.kinds.length !== args.length - 1) return masker.maskText(formatAny(args));
  const { texts, kinds } = template;
  let { isHarmless: isClean } = template;
  let text = texts[0] as string;
  for (let index = 0; index < kinds.length; index += 1) {
    const value = args[index + 1];
    if (typeof value === 'string' && kinds[index] === 's') isClean &&= isHarmless(value);
    // Zero may be a negative one, which has a text of its own.
    else if (typeof value !== 'number' || value === 0) return masker.maskText(formatAny(args));
    text += value;
    text += texts[index + 1];
  }
  return isClean ? text : masker.maskText(text);
}

/** A value that cannot be printed, by a getter or a `toJSON` that throws, must not make a log call throw. */
function formatAny(args: readonly unknown[]): string {
  try {
    return format(...args);
  } catch (error) {
    return `${String(args[0])} <arguments that cannot be printed: ${(error as Error).message}>`;
  }
}

/** @returns null for a format that only `util.format` knows */
function templateOf(text: string): Template | null {
  const known = templates.get(text);
  if (known !== undefined) return known;
  if (templates.size >= REMEMBERED) templates.clear();
  const template = /%[^sd]|%$/.test(text) ? null : parse(text);
  templates.set(text, template);
  return template;
}

function parse(text: string): Template {
  const kinds = [...text.matchAll(/%([sd])/g)].map(([, kind]) => kind as 's' | 'd');
  const texts = text.split(/%[sd]/);
  return { texts, kinds, isHarmless: texts.every(isHarmless) };
}
