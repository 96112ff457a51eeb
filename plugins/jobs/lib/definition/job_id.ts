import { createHash, randomBytes } from 'node:crypto';

export function newJobId(): string {
  return `j${randomBytes(10).toString('hex')}`;
}

/** A key may be any text; an id is what every engine and every shell takes. */
export function idOfKey(key: string): string {
  return `k${createHash('sha256').update(key).digest('hex').slice(0, 20)}`;
}

/** Whether it is an id of ours, or one that BullMQ has made for something else that adds jobs. */
export function isJobId(id: string): boolean {
  return /^(?:[jk][0-9a-f]{20}|\d{1,20})$/.test(id);
}
