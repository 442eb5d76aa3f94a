import { createPublicKey, type KeyObject } from 'node:crypto';
import type * as Jose from 'jose';
import type { Config } from '../base/config';

/** A key, or who has keys and picks the one that a token was signed with. */
export type TokenKey = Uint8Array | KeyObject | Jose.JWTVerifyGetKey;

/** Each kind of key has its own algorithms, so no token can have one taken for another. */
const SECRET_ALGORITHM = 'HS256';
const PUBLIC_ALGORITHMS: Readonly<Record<string, readonly string[]>> = {
  rsa: ['RS256'],
  ec: ['ES256'],
  ed25519: ['EdDSA', 'Ed25519'],
};
/** For the answer of who publishes keys. */
const JWKS_WITHIN_MS = 5_000;
/** A key that is not known is asked for no more often than this, whatever tokens name. */
const JWKS_COOLDOWN_MS = 30_000;
/** Keys that were withdrawn are believed no longer than this. */
const JWKS_MAX_AGE_MS = 600_000;

/** The keys that the settings name. */
export class TokenKeys {
  readonly #byAlgorithm = new Map<string, TokenKey[]>();

  constructor(
    config: Pick<Config, 'authSecret' | 'authSecretPrevious' | 'authPublicKey' | 'authJwksUrl'>,
    { createRemoteJWKSet }: Pick<typeof Jose, 'createRemoteJWKSet'>,
  ) {
    const { authSecret, authSecretPrevious, authPublicKey, authJwksUrl } = config;
    for (const secret of [authSecret, authSecretPrevious])
      if (secret !== undefined) this.#add([SECRET_ALGORITHM], secretKey(secret));
    if (authPublicKey !== undefined) {
      const key = createPublicKey(authPublicKey);
      this.#add(PUBLIC_ALGORITHMS[key.asymmetricKeyType ?? ''] ?? [], key);
    }
    if (authJwksUrl !== undefined) {
      const published = createRemoteJWKSet(new URL(authJwksUrl), {
        timeoutDuration: JWKS_WITHIN_MS,
        cooldownDuration: JWKS_COOLDOWN_MS,
        cacheMaxAge: JWKS_MAX_AGE_MS,
      });
      this.#add(Object.values(PUBLIC_ALGORITHMS).flat(), published);
    }
  }

  /** The keys that a token signed with this algorithm may have been signed with; none where it is not taken at all. */
  for(algorithm: string): readonly TokenKey[] {
    return this.#byAlgorithm.get(algorithm) ?? [];
  }

  #add(algorithms: readonly string[], key: TokenKey): void {
    for (const algorithm of algorithms)
      this.#byAlgorithm.set(algorithm, [...(this.#byAlgorithm.get(algorithm) ?? []), key]);
  }
}

/** The bytes of a secret: its text, as who signs elsewhere with the same setting takes it. */
export function secretKey(secret: string): Uint8Array {
  return new TextEncoder().encode(secret);
}
