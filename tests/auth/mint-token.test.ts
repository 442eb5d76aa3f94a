import { mintToken } from '../../src/auth/mint-token';
import { TokenVerifier } from '../../src/auth/token-verifier';
import { FakeClock } from '../helpers/fake-clock';
import { silentLogger } from '../helpers/silent-logger';
import { SECRET } from '../helpers/tokens';

describe('a token that is minted', () => {
  const clock = new FakeClock();
  const nowS = Math.floor(clock.epochMs() / 1000);
  const by = { secret: SECRET, audience: 'vibesflow', issuer: 'me' };
  const claims = { sub: 'ann', role: 'creator', vibe: 'v-*', iat: nowS, exp: nowS + 60 } as const;

  it('is one that the relay takes', async () => {
    const config = {
      authSecret: SECRET,
      authSecretPrevious: undefined,
      authPublicKey: undefined,
      authJwksUrl: undefined,
      authAudience: 'vibesflow',
      authIssuer: 'me',
    };
    const verifier = await TokenVerifier.open({ config, clock, logger: silentLogger });
    const token = await mintToken(claims, by);
    expect(await verifier.verify(token)).toMatchObject({ role: 'creator', subject: 'ann', vibe: 'v-*' });
    expect(await mintToken(claims, by)).not.toBe(token);
  });

  it.each([
    [{ vibe: 'not a vibe' }, 'vibe'],
    [{ vibe: undefined }, 'vibe'],
    [{ sub: '' }, 'sub'],
    [{ exp: nowS + 500 * 86_400 }, 'exp'],
  ])('is not one that the relay would refuse: %j', async (change, word) => {
    await expect(mintToken({ ...claims, ...change }, by)).rejects.toThrow(word);
  });
});
