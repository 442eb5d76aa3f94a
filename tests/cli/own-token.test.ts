import { TokenVerifier } from '../../src/auth/token-verifier';
import { systemClock } from '../../src/base/clock';
import type { Config } from '../../src/base/config';
import { ownToken } from '../../src/cli/own-token';
import { silentLogger } from '../helpers/silent-logger';
import { SECRET } from '../helpers/tokens';

describe('a token of one’s own', () => {
  const config = { authMode: 'token', authSecret: SECRET, authAudience: 'vibesflow' } as Config;

  it('is an admin’s, and good', async () => {
    const verifier = await TokenVerifier.open({ config, clock: systemClock, logger: silentLogger });
    const token = (await ownToken(config, 'doctor')) as string;
    expect(await verifier.verify(token)).toMatchObject({ role: 'admin', subject: 'doctor' });
  });

  it('is none where none is asked for, or where somebody else signs', async () => {
    expect(await ownToken({ ...config, authMode: 'open' }, 'doctor')).toBeUndefined();
    expect(await ownToken({ ...config, authSecret: undefined }, 'doctor')).toBeUndefined();
  });
});
