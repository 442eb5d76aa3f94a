import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { Problem } from '../base/errors';

/** Who bears a signed token that is enough for the door. */
export interface Bearer {
  readonly subject: string;
  readonly isAdmin: boolean;
}

/** What somebody shows to act on a vibe. */
export interface Claim {
  readonly creator?: string;
  readonly ownerKey?: string;
  /** In `token` mode, and then it decides alone. */
  readonly bearer?: Bearer;
}

/**
 * Whose a vibe is. In `open` mode the creator's name is the claim; after `claim()` only the owner key counts. In `token`
 * mode a vibe is the subject's whose token started it. Only a hash of the key is kept.
 */
export class Ownership {
  readonly creator: string | undefined;
  /** Nothing for a vibe that was started in `open` mode. */
  readonly subject: string | undefined;
  /** Whether only who the owner lets may listen. */
  readonly isPrivate: boolean;
  #keyHash: Buffer | undefined;

  /** @param about.keyHash of a claim that was made before, as `keyHash` gave it */
  constructor(about: {
    readonly creator?: string | undefined;
    readonly subject?: string | undefined;
    readonly keyHash?: string | undefined;
    readonly isPrivate?: boolean | undefined;
  }) {
    this.creator = about.creator;
    this.subject = about.subject;
    this.isPrivate = about.isPrivate ?? false;
    if (about.keyHash !== undefined) this.#keyHash = Buffer.from(about.keyHash, 'hex');
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
   * Whether the vibe, which is there already, may be started again with this claim.
   * @throws {Problem} `unauthorized` (401), `wrong-owner-key` (403), `creator-conflict` (409)
   */
  checkStart(claim: Claim): void {
    // Who shows the key of a claimed vibe need not say a name besides.
    const name = this.isClaimed ? (claim.creator ?? this.creator) : claim.creator;
    const isTheirs = claim.bearer
      ? this.#isOf(claim.bearer)
      : this.creator === undefined || name === this.creator;
    if (!isTheirs) throw new Problem('creator-conflict', 'This vibe is held by another creator.');
    if (!claim.bearer) this.#checkKey(claim);
  }

  /**
   * Whether audio may be sent with this claim.
   * @throws {Problem} `unauthorized` (401), `wrong-owner-key` (403), `wrong-creator` (403)
   */
  checkAudio(claim: Claim): void {
    if (claim.bearer) return this.#checkBearer(claim.bearer);
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
    if (claim.bearer) return this.#checkBearer(claim.bearer);
    this.#checkKey(claim);
    this.#checkName(claim);
  }

  /**
   * Whether the vibe may be joined and looked at with this claim. A bearer's token has said so. In `open` mode a private vibe's
   * owner lets others listen: it joins for them, and hands them the URLs.
   * @throws {Problem} `unauthorized` (401), `wrong-owner-key` (403)
   */
  checkListener(claim: Claim): void {
    if (!this.isPrivate || claim.bearer) return;
    this.#checkKey(claim);
    if (!this.isClaimed) throw new Problem('unauthorized', 'This vibe is private: it takes a token.');
  }

  #isOf({ subject, isAdmin }: Bearer): boolean {
    return isAdmin || subject === this.subject;
  }

  #checkBearer(bearer: Bearer): void {
    if (!this.#isOf(bearer)) throw new Problem('wrong-creator', 'This vibe was started by another creator.');
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
