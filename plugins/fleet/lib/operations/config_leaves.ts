import { createHmac } from 'node:crypto';
import { homedir } from 'node:os';
import { type Masker, reveal, Secret } from '../../../../output/secrets.js';

/** Keys whose values differ between machines by their meaning. */
const OF_MACHINE = new Set(['baseDir', 'HOME', 'rundir', 'fleet.member']);

interface LeafOptions {
  masker: Masker;
  /** Of this comparison: hashes of it can be compared with each other, and with those of no other one. */
  salt: string;
  baseDir: string;
}

/**
 * @returns each value of the config by its dotted key, as it may be shown: what is hidden of it is replaced by a hash, so that
 * machines can be compared. Directories of the machine are replaced by names.
 */
export function configLeaves(config: object, { masker, salt, baseDir }: LeafOptions): Record<string, string> {
  const leaves: Record<string, string> = Object.create(null) as Record<string, string>;
  const around = new Set<object>();
  const hash = (text: string): string => createHmac('sha256', salt).update(text).digest('hex').slice(0, 8);
  const general = (text: string): string => {
    const named = text.replaceAll(baseDir, '<baseDir>');
    return homedir() === '/' ? named : named.replaceAll(homedir(), '<home>');
  };
  const visit = (value: unknown, path: string, hidden: boolean): void => {
    if (OF_MACHINE.has(path)) return;
    const isHidden = hidden || masker.hidesPath(path);
    if (isContainer(value) && Object.keys(value).length > 0) {
      if (around.has(value)) return;
      around.add(value);
      for (const key of Object.keys(value)) {
        const item = readProperty(value, key);
        visit(item, path === '' ? key : `${path}.${key}`, isHidden || masker.hides(key, item));
      }
      around.delete(value);
      return;
    }
    const text = general(textOf(reveal(value)));
    const shown = isHidden || value instanceof Secret ? '<secret>' : general(masker.maskText(text));
    leaves[masker.maskText(path)] = shown === text ? shown : `${shown} #${hash(text)}`;
  };
  visit(config, '', false);
  return leaves;
}

function isContainer(value: unknown): value is object {
  if (typeof value !== 'object' || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return Array.isArray(value) || prototype === null || prototype === Object.prototype;
}

function readProperty(value: object, key: string): unknown {
  try {
    return Reflect.get(value, key);
  } catch {
    return '<getter threw>';
  }
}

/** @returns a text that is the same for equal values of two processes */
function textOf(value: unknown): string {
  if (typeof value === 'function') return `<function ${value.name}>`;
  if (Buffer.isBuffer(value)) return `<Buffer ${value.toString('base64')}>`;
  if (value instanceof RegExp || value instanceof URL || value instanceof Date || typeof value === 'symbol') {
    return String(value);
  }
  if (typeof value === 'bigint') return `${value}n`;
  if (isContainer(value)) return Array.isArray(value) ? '[]' : '{}';
  if (typeof value === 'object' && value !== null) return `<${value.constructor?.name ?? 'Object'}>`;
  return JSON.stringify(value) ?? 'undefined';
}
