import { ClutchError } from '../../../../errors.js';
import type { Bucket } from '../adapter/adapter.js';

const KEY = 'clutch:reload';

/** What the lease holds: the machine on which the command runs, and what only that command knows. */
interface Holder {
  member: string;
  nonce: string;
}

/** One reload of the fleet at a time: a lease that the command renews while it runs. */
export class ReloadLock {
  readonly #bucket: Bucket;

  /** @param bucket of leases, which end by themselves */
  constructor(bucket: Bucket) {
    this.#bucket = bucket;
  }

  /**
   * Takes the lease or renews it.
   *
   * @throws {ClutchError} ERR_CLUTCH_FLEET when another command has it
   */
  async hold(holder: Holder): Promise<void> {
    const current = await this.#bucket.get(KEY);
    const written =
      current && (JSON.parse(current.value) as Holder).nonce !== holder.nonce
        ? undefined
        : await this.#bucket.put(KEY, JSON.stringify(holder), current?.revision ?? 0);
    if (written === undefined) await this.assertHolder(holder.nonce);
  }

  /** @throws {ClutchError} ERR_CLUTCH_FLEET unless the command with this nonce has the lease */
  async assertHolder(nonce: string): Promise<void> {
    const current = await this.#bucket.get(KEY);
    const holder = current && (JSON.parse(current.value) as Holder);
    if (holder?.nonce === nonce) return;
    throw holder
      ? new ClutchError('ERR_CLUTCH_FLEET', `another reload of the fleet runs, begun on machine ${holder.member}`, {
          fix: 'Wait until it has ended.',
        })
      : new ClutchError('ERR_CLUTCH_FLEET', 'the lease of this reload has ended', { fix: 'Begin again.' });
  }

  async release(nonce: string): Promise<void> {
    const current = await this.#bucket.get(KEY);
    if (current && (JSON.parse(current.value) as Holder).nonce === nonce) {
      await this.#bucket.remove(KEY, current.revision);
    }
  }
}
