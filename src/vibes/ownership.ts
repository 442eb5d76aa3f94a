import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { Problem } from '../base/errors';

/** What somebody shows to act on a vibe. */
export interface Claim {
  readonly creator?: string;
  readonly ownerKey?: string;
}

/**
 * Whose a vibe is. In `open` mode the creator's name is the claim; after `claim()` only the owner key counts.
 * Only a hash of the key is kept.
 */
export class Ownership {
  readonly creator: string | undefined;
  #keyHash: Buffer | undefined;

  /** @param keyHash of a claim that was made before, as `keyHash` gave it */
  constructor(creator: string | undefined, keyHash?: string) {
    this.creator = creator;
    if (keyHash !== undefined) this.#keyHash = Buffer.from(keyHash, 'hex');
  }

  /** In hexadecimal; the key itself is random, and cannot be found from it. Nothing where no claim was made. */
  get keyHash(): string | undefined {
    return this.#keyHash?.toString('hex');
  }

  get isClaimed(): boolean {
    return this.#keyHash !== undefined;
  }

  /** Makes an owner key, once. @returns the key, or nothing where one was made before */
  claim(): string | undefined {
    if (this.#keyHash) return undefined;
    const key = randomBytes(32).toString('base64url');
    this.#keyHash = hash(key);
    return key;
  }

  /**
   * Whether audio may be sent with this claim.
   * @throws {Problem} `unauthorized` (401), `wrong-owner-key` (403), `wrong-creator` (403)
   */
  checkAudio(claim: Claim): void {
    this.#checkKey(claim);
    if (this.creator !== undefined && claim.creator !== this.creator && !this.isClaimed) {
      throw new Problem('wrong-creator', 'This vibe was started by another creator.');
    }
    this.#checkName(claim);
  }

  /**
   * Whether the vibe may be ended with this claim. Existing apps name nobody when they end a vibe.
   * @throws {Problem} as `checkAudio`
   */
  checkEnd(claim: Claim): void {
    this.#checkKey(claim);
    this.#checkName(claim);
  }

  #checkKey(claim: Claim): void {
    if (!this.#keyHash) return;
    if (claim.ownerKey === undefined) {
      throw new Problem('unauthorized', 'This vibe was claimed: send its owner key as a bearer token.');
    }
    if (!timingSafeEqual(hash(claim.ownerKey), this.#keyHash)) {
      throw new Problem('wrong-owner-key', 'This is not the owner key of this vibe.');
    }
  }

  #checkName(claim: Claim): void {
    if (this.creator === undefined || claim.creator === undefined || claim.creator === this.creator) return;
    throw new Problem('wrong-creator', 'This vibe was started by another creator.');
  }
}

function hash(key: string): Buffer {
  return createHash('sha256').update(key).digest();
}
