import type https from 'node:https';
import { ClutchError, toError } from '../../errors.js';
import { type HttpsOptions, isPem } from '../options/option_kinds.js';

export type Leaf = 'key' | 'cert' | 'ca';

/** As `readTls` reads it. */
type Read = Pick<https.ServerOptions, Leaf | 'passphrase'>;

const NAMES: Record<Leaf, string> = { key: 'key', cert: 'certificate', ca: 'certificate of option ca' };

/**
 * @param given where key and certificates come from
 * @param cause what OpenSSL says, which names neither option nor file
 */
export function explainTlsError(given: HttpsOptions, read: Read, cause: unknown): ClutchError {
  for (const leaf of ['key', 'cert', 'ca'] as const) {
    const pem = read[leaf] as string | Buffer | undefined;
    if (pem === undefined) continue;
    const why = faultOf(leaf, pem, read);
    if (why !== undefined) return tlsError(given, leaf, why, cause);
  }
  const isMismatch = /mismatch/i.test(toError(cause).message);
  const what = isMismatch ? 'the key is not that of the certificate' : toError(cause).message;
  return new ClutchError('ERR_CLUTCH_CONFIG', `HTTPS cannot use key and certificate: ${what}`, {
    where: [placeOf(given, 'key'), placeOf(given, 'cert')],
    fix: isMismatch ? 'Give the key with which the certificate was requested.' : 'Replace them.',
    cause,
  });
}

/** @param why what is wrong with it */
export function tlsError(given: HttpsOptions, leaf: Leaf, why: string, cause: unknown): ClutchError {
  const passphrase = leaf === 'key' ? ' If it is encrypted, give its https.passphrase.' : '';
  return new ClutchError('ERR_CLUTCH_CONFIG', `HTTPS cannot use the ${NAMES[leaf]}: ${why}`, {
    where: placeOf(given, leaf),
    fix: `Put a PEM file of a ${leaf === 'key' ? 'private key' : 'certificate'} there.${passphrase}`,
    cause,
  });
}

function placeOf(given: HttpsOptions, leaf: Leaf): string {
  const value = given[leaf];
  const isFile = typeof value === 'string' && !isPem(value);
  // The file comes first: what follows `key:` is masked as a secret.
  return `${isFile ? `${value}, from ` : ''}option https.${leaf} or config.cluster.https.${leaf}`;
}

function faultOf(leaf: Leaf, pem: string | Buffer, read: Read): string | undefined {
  if (!isPem(String(pem))) return pem.length === 0 ? 'it is empty' : 'it is not PEM (-----BEGIN …)';
  try {
    // Only here: plain HTTP and good files have no use for it.
    const { createPrivateKey, X509Certificate } = process.getBuiltinModule('node:crypto');
    const { passphrase } = read;
    if (leaf === 'key') createPrivateKey({ key: pem, ...(passphrase === undefined ? {} : { passphrase }) });
    else void new X509Certificate(pem);
    return undefined;
  } catch (error) {
    return toError(error).message;
  }
}
