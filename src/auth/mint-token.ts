import { randomUUID } from 'node:crypto';
import { CLOCK_TOLERANCE_S, grantOf, type TokenClaims } from './claims';
import { secretKey } from './token-keys';

/**
 * Signs a token with a secret (HS256).
 * @param audience the setting `AUTH_AUDIENCE`
 * @param issuer the setting `AUTH_ISSUER`, where it is set
 * @throws {Problem} `invalid-token` that names the claim at fault, where the relay would not take it
 */
export async function mintToken(
  claims: TokenClaims & { readonly iat: number },
  { secret, audience, issuer }: { secret: string; audience: string; issuer?: string | undefined },
): Promise<string> {
  const { sub, role, vibe, exp, iat } = claims;
  grantOf({ ...claims }, (iat + CLOCK_TOLERANCE_S) * 1000);
  const { SignJWT } = await import('jose');
  const token = new SignJWT({ role, ...(vibe === undefined ? {} : { vibe }) })
    .setProtectedHeader({ alg: 'HS256', typ: 'JWT' })
    .setSubject(sub)
    .setAudience(audience)
    .setIssuedAt(iat)
    .setExpirationTime(exp)
    .setJti(randomUUID());
  if (issuer !== undefined) token.setIssuer(issuer);
  return token.sign(secretKey(secret));
}
