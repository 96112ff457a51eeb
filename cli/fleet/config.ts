import { table } from '../terminal/table.js';
import type { AskFleet } from './ask.js';

/** A value of the config that is not the same on all machines. */
interface Difference {
  key: string;
  /** By machine; absent where the key is not set. */
  values: Record<string, string>;
}

export interface ConfigComparison {
  machines: string[];
  /** Machines that could not be compared, and why. */
  unknown: Record<string, string>;
  differences: Difference[];
}

type Replies = Record<string, { leaves?: Record<string, string>; error?: string }>;

export async function compareConfig(ask: AskFleet): Promise<ConfigComparison> {
  const replies = Object.entries(await ask<Replies>({ command: 'config' }));
  const known = replies.flatMap(([id, { leaves }]) =>
    leaves ? [{ id, leaves: new Map(Object.entries(leaves)) }] : [],
  );
  const unknown = replies.flatMap(([id, { error }]) => (error === undefined ? [] : [[id, error]]));
  const keys = [...new Set(known.flatMap(({ leaves }) => [...leaves.keys()]))].sort();
  const differences = keys
    .filter((key) => new Set(known.map(({ leaves }) => leaves.get(key))).size > 1)
    .map((key) => ({
      key,
      values: Object.fromEntries(known.flatMap(({ id, leaves }) => (leaves.has(key) ? [[id, leaves.get(key)]] : []))),
    }));
  return { machines: known.map(({ id }) => id), unknown: Object.fromEntries(unknown), differences } as ConfigComparison;
}

export function formatComparison({ machines, unknown, differences }: ConfigComparison): string {
  const lines = Object.entries(unknown).map(([id, why]) => `machine ${id} is not compared: ${why}`);
  if (differences.length === 0) {
    return [...lines, `no value differs between ${machines.join(', ')}`].join('\n');
  }
  const rows = differences.flatMap(({ key, values }) => {
    const byValue = new Map<string, string[]>();
    for (const id of machines) {
      const value = values[id] ?? '(not set)';
      byValue.set(value, [...(byValue.get(value) ?? []), id]);
    }
    return [...byValue].map(([value, ids], index) => [index === 0 ? key : '', shorten(value), ids.join(', ')]);
  });
  return [...lines, table([['key', 'value', 'machines'], ...rows])].join('\n');
}

function shorten(value: string): string {
  return value.length > 80 ? `${value.slice(0, 79)}…` : value;
}
