import { mintToken } from '../auth/mint-token';
import type { Config } from '../base/config';

const LIFE_S = 3_600;

/**
 * An admin's token for who has the daemon's own settings, an hour long; nothing where none is asked for, or where tokens
 * are signed elsewhere.
 * @param subject who it is for
 */
export async function ownToken(config: Config, subject: string): Promise<string | undefined> {
  const { authMode, authSecret, authAudience, authIssuer } = config;
  if (authMode !== 'token' || authSecret === undefined) return undefined;
  const iat = Math.floor(Date.now() / 1000);
  return mintToken(
    { sub: subject, role: 'admin', iat, exp: iat + LIFE_S },
    { secret: authSecret, audience: authAudience, issuer: authIssuer },
  );
}
