import { createHmac, type KeyObject, sign } from 'node:crypto';

/** A secret such as an operator makes. */
export const SECRET = 'k7Qm2xV9sT4wZ1bN6cR8dF3gH5jL0pYa';

const part = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');

/**
 * A token made by hand, so that it may be wrong in any way.
 * @param key a secret for HS256; a private key for what the header says; nothing for no signature
 */
export function handmadeToken(
  header: Record<string, unknown>,
  claims: Record<string, unknown>,
  key?: string | KeyObject,
): string {
  const signed = `${part(header)}.${part(claims)}`;
  if (key === undefined) return `${signed}.`;
  if (typeof key === 'string')
    return `${signed}.${createHmac('sha256', key).update(signed).digest('base64url')}`;
  const digest = key.asymmetricKeyType === 'ed25519' ? null : 'sha256';
  const signature = sign(digest, Buffer.from(signed), { key, dsaEncoding: 'ieee-p1363' });
  return `${signed}.${signature.toString('base64url')}`;
}
