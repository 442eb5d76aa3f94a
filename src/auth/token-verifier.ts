import { createHash } from 'node:crypto';
import type * as Jose from 'jose';
import type { Clock } from '../base/clock';
import type { Config } from '../base/config';
import { Problem } from '../base/errors';
import type { Logger } from '../base/logger';
import { CLOCK_TOLERANCE_S, grantOf } from './claims';
import type { Grant } from './grant';
import { TokenKeys, type TokenKey } from './token-keys';

/** Ours have 250 characters, those of identity providers some 1,500. */
const MAX_TOKEN_CHARS = 4_096;
/** What a token may say about itself. Any other member could ask to be believed: `jwk`, `jku`, `x5u`, `crit` … */
const HEADER_MEMBERS = new Set(['alg', 'typ', 'kid', 'x5t', 'x5t#S256']);
const TYPES = new Set(['jwt', 'at+jwt']);
/**
 * A token that was good a moment ago is good still: a creator shows its own fifty times a second, and a check takes up to
 * 0.2 ms. So a key that is taken away works for this much longer.
 */
const REMEMBER_MS = 60_000;
const REMEMBER_TOKENS = 4_000;

export interface TokenVerifierOptions {
  readonly config: Pick<
    Config,
    'authSecret' | 'authSecretPrevious' | 'authPublicKey' | 'authJwksUrl' | 'authAudience' | 'authIssuer'
  >;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Checks signed tokens (JWT, RFC 7519, with the care of RFC 8725) against the keys of the settings. */
export class TokenVerifier {
  readonly #jose: typeof Jose;
  readonly #keys: TokenKeys;
  readonly #options: TokenVerifierOptions;
  /** By a token's hash, so that finding one takes no longer the more of it was guessed. Oldest first. */
  readonly #known = new Map<string, { readonly grant: Grant; readonly untilMs: number }>();

  private constructor(options: TokenVerifierOptions, jose: typeof Jose) {
    this.#options = options;
    this.#jose = jose;
    this.#keys = new TokenKeys(options.config, jose);
  }

  /** Loads jose, which takes 50 ms and 8 MB: who does without tokens does without it. */
  static async open(options: TokenVerifierOptions): Promise<TokenVerifier> {
    return new TokenVerifier(options, await import('jose'));
  }

  /**
   * What a token grants: at once where it was checked within the last minute.
   * @throws {Problem} `invalid-token` (401), `keys-unavailable` (503)
   */
  verify(token: string): Grant | Promise<Grant> {
    if (token.length > MAX_TOKEN_CHARS) throw invalid(`is longer than ${MAX_TOKEN_CHARS} characters`);
    const hash = createHash('sha256').update(token).digest('base64');
    const known = this.#known.get(hash);
    const nowMs = this.#options.clock.epochMs();
    if (known && nowMs < known.untilMs) return known.grant;
    return this.#check(token, nowMs).then((grant) => {
      this.#remember(hash, grant, nowMs);
      return grant;
    });
  }

  async #check(token: string, nowMs: number): Promise<Grant> {
    const algorithm = this.#algorithmOf(token);
    const { errors } = this.#jose;
    const { authAudience, authIssuer } = this.#options.config;
    const options: Jose.JWTVerifyOptions = {
      algorithms: [algorithm],
      audience: authAudience,
      ...(authIssuer === undefined ? {} : { issuer: authIssuer }),
      clockTolerance: CLOCK_TOLERANCE_S,
      currentDate: new Date(nowMs),
      requiredClaims: ['exp', 'sub', 'aud'],
    };
    for (const key of this.#keys.for(algorithm)) {
      try {
        return grantOf(await this.#claimsOf(token, key, options), nowMs);
      } catch (error) {
        // Signed with the other of two keys, perhaps.
        if (
          error instanceof errors.JWSSignatureVerificationFailed ||
          error instanceof errors.JWKSNoMatchingKey
        )
          continue;
        throw this.#problem(error);
      }
    }
    throw invalid('is not signed with a key of this relay’s');
  }

  /** @throws {Problem} `invalid-token` (401) for what is no token, and for one that brings its own key along */
  #algorithmOf(token: string): string {
    let header: Record<string, unknown>;
    try {
      header = this.#jose.decodeProtectedHeader(token);
    } catch {
      throw invalid('cannot be read');
    }
    if (Object.keys(header).some((member) => !HEADER_MEMBERS.has(member)))
      throw invalid('says things about itself that are not taken from tokens');
    const { alg, typ } = header;
    if (typ !== undefined && !(typeof typ === 'string' && TYPES.has(typ.toLowerCase())))
      throw invalid('is of another type than JWT');
    if (typeof alg !== 'string') throw invalid('cannot be read');
    return alg;
  }

  async #claimsOf(
    token: string,
    key: TokenKey,
    options: Jose.JWTVerifyOptions,
  ): Promise<Record<string, unknown>> {
    const { jwtVerify } = this.#jose;
    // The two ways to have a key have types of their own.
    const { payload } =
      typeof key === 'function' ? await jwtVerify(token, key, options) : await jwtVerify(token, key, options);
    return payload;
  }

  #problem(error: unknown): Problem {
    const { errors } = this.#jose;
    if (error instanceof Problem) return error;
    if (error instanceof errors.JWTExpired) return invalid('has expired');
    if (error instanceof errors.JWTClaimValidationFailed)
      return invalid(error.claim === 'nbf' ? 'is not valid yet' : `has a wrong ${error.claim}, or none`);
    if (error instanceof errors.JWTInvalid || error instanceof errors.JWSInvalid)
      return invalid('cannot be read');
    if (error instanceof errors.JOSENotSupported || error instanceof errors.JOSEAlgNotAllowed)
      return invalid('is signed in a way that is not taken');
    this.#options.logger.warn({ err: error }, 'the keys that tokens are checked with cannot be had');
    return new Problem('keys-unavailable', 'The keys that tokens are checked with cannot be had now.');
  }

  #remember(hash: string, grant: Grant, nowMs: number): void {
    this.#known.delete(hash);
    this.#known.set(hash, { grant, untilMs: Math.min(nowMs + REMEMBER_MS, grant.expiresAtMs) });
    for (const oldest of this.#known.keys()) {
      if (this.#known.size <= REMEMBER_TOKENS) break;
      this.#known.delete(oldest);
    }
  }
}

function invalid(why: string): Problem {
  return new Problem('invalid-token', `This token ${why}.`);
}
