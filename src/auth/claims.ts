import { Problem } from '../base/errors';
import { type Grant, type Role, ROLES } from './grant';
import { isVibePattern } from './vibe-pattern';

/** What a signed token says, besides who it is from and for: the claims of RFC 7519, and two of our own. */
export interface TokenClaims {
  readonly sub: string;
  readonly role: Role;
  /** A vibe's id, or a pattern with `*`. An admin's may be left out: it is for all. */
  readonly vibe?: string;
  /** Epoch seconds. */
  readonly exp: number;
  /** Epoch seconds. */
  readonly iat?: number;
}

/** A watch that is wrong by so much is no forgery: tokens are made on other machines. */
export const CLOCK_TOLERANCE_S = 5;
/** Nobody remembers a token for longer than this, so none may live longer: 400 days. */
export const MAX_LIFE_S = 400 * 86_400;
const MAX_SUBJECT_CHARS = 256;
/** They forge lines in logs and terminals. */
// eslint-disable-next-line no-control-regex -- control characters are what is looked for
const CONTROL = /[\u0000-\u001f\u007f-\u009f\u2028\u2029]/;

/**
 * What a token grants whose signature, audience and times hold.
 * @param claims as they were signed
 * @param nowMs epoch milliseconds
 * @throws {Problem} `invalid-token` (401) that names the claim at fault
 */
export function grantOf(claims: Readonly<Record<string, unknown>>, nowMs: number): Grant {
  const { sub, role, vibe, exp, iat } = claims;
  const nowS = nowMs / 1000;
  if (typeof sub !== 'string' || sub.length === 0 || sub.length > MAX_SUBJECT_CHARS || CONTROL.test(sub))
    throw wrong('sub', `must be 1 to ${MAX_SUBJECT_CHARS} characters, none of them a control character`);
  const known = ROLES.find((one) => one === role);
  if (!known) throw wrong('role', `must be one of ${ROLES.join(', ')}`);
  const isAny = vibe === undefined && known === 'admin';
  if (!isAny && (typeof vibe !== 'string' || !isVibePattern(vibe)))
    throw wrong('vibe', 'must be the id of a vibe, or a pattern with *');
  if (typeof exp !== 'number') throw wrong('exp', 'must say when the token expires');
  if (exp > nowS + MAX_LIFE_S + CLOCK_TOLERANCE_S)
    throw wrong('exp', `must be within ${MAX_LIFE_S / 86_400} days`);
  if (iat !== undefined && !(typeof iat === 'number' && iat <= nowS + CLOCK_TOLERANCE_S))
    throw wrong('iat', 'must be a time that is past');
  return {
    role: known,
    subject: sub,
    vibe: isAny ? '*' : (vibe as string),
    expiresAtMs: exp * 1000,
    lifeMs: iat === undefined ? undefined : (exp - iat) * 1000,
  };
}

function wrong(claim: string, must: string): Problem {
  return new Problem('invalid-token', `The token’s ${claim} ${must}.`);
}
