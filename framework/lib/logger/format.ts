import { format } from 'node:util';

/** Formats that are remembered; an app that builds its formats from data must not fill the memory. */
const REMEMBERED = 1000;

/** The texts between the places of a format, and what stands at each place. */
interface Template {
  texts: string[];
  kinds: ('s' | 'd')[];
}

const templates = new Map<string, Template | null>();

/**
 * `util.format`, with a short way for the calls that logs are full of: `%s` with a string or a number and `%d` with a
 * number, as many as there are arguments.
 */
export function formatText(args: readonly unknown[]): string {
  const first = args[0];
  if (typeof first !== 'string') return formatAny(args);
  const template = templateOf(first);
  if (template === null || template.kinds.length !== args.length - 1) return formatAny(args);
  const { texts, kinds } = template;
  let text = texts[0] as string;
  for (let index = 0; index < kinds.length; index += 1) {
    const value = args[index + 1];
    const isPlain = typeof value === 'number' ? value !== 0 : typeof value === 'string' && kinds[index] === 's';
    // Zero may be a negative one, which has a text of its own.
    if (!isPlain) return formatAny(args);
    text += value;
    text += texts[index + 1];
  }
  return text;
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
  const template = /%[^sd]|%$/.test(text)
    ? null
    : { texts: text.split(/%[sd]/), kinds: [...text.matchAll(/%([sd])/g)].map(([, kind]) => kind as 's' | 'd') };
  templates.set(text, template);
  return template;
}
