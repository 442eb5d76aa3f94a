import type { Config } from '../base/config';
import { Problem } from '../base/errors';
import { checkGrant, type Grant, type Need } from './grant';
import { TokenVerifier, type TokenVerifierOptions } from './token-verifier';

/** A token as somebody shows it. URLs are written down in many places, so what stands in one must be short-lived. */
export interface Credential {
  readonly token: string;
  readonly from: 'header' | 'url';
}

/** Says who may pass a door. */
export interface Doorkeeper {
  /**
   * @returns what the token grants; nothing where no tokens are asked for, and everybody may pass (`AUTH_MODE=open`)
   * @throws {Problem} `unauthorized`, `invalid-token` (401), `forbidden` (403), `keys-unavailable` (503)
   */
  admit(credential: Credential | undefined, need: Need): Grant | undefined | Promise<Grant>;
}

/** The longest life of a token that stands in a URL. */
export const MAX_URL_LIFE_MS = 60 * 60_000;

/** The doorkeeper that the settings ask for. */
export async function createDoorkeeper(
  options: TokenVerifierOptions & { readonly config: Pick<Config, 'authMode' | 'production'> },
): Promise<Doorkeeper> {
  const { authMode, production } = options.config;
  if (authMode === 'token') return new TokenDoorkeeper(await TokenVerifier.open(options));
  if (production)
    options.logger.warn('AUTH_MODE=open: whoever reaches the relay can start vibes, and send under any name');
  return { admit: () => undefined };
}

/** Lets pass who shows a token that is enough for the door. */
export class TokenDoorkeeper implements Doorkeeper {
  readonly #verifier: { verify(token: string): Grant | Promise<Grant> };

  constructor(verifier: { verify(token: string): Grant | Promise<Grant> }) {
    this.#verifier = verifier;
  }

  admit(credential: Credential | undefined, need: Need): Grant | Promise<Grant> {
    if (!credential) throw new Problem('unauthorized', 'This door asks for a token: Authorization: Bearer.');
    const grant = this.#verifier.verify(credential.token);
    return grant instanceof Promise
      ? grant.then((checked) => pass(checked, credential, need))
      : pass(grant, credential, need);
  }
}

function pass(grant: Grant, { from }: Credential, need: Need): Grant {
  if (from === 'url' && !(grant.lifeMs !== undefined && grant.lifeMs <= MAX_URL_LIFE_MS))
    throw new Problem(
      'invalid-token',
      `A token in a URL must say when it was issued (iat), and expire within ${MAX_URL_LIFE_MS / 60_000} minutes of that.`,
    );
  checkGrant(grant, need);
  return grant;
}
