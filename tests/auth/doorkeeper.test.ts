import { createDoorkeeper, MAX_URL_LIFE_MS, TokenDoorkeeper } from '../../src/auth/doorkeeper';
import type { Grant } from '../../src/auth/grant';
import { codeOf } from '../helpers/code-of';
import { FakeClock } from '../helpers/fake-clock';
import { silentLogger } from '../helpers/silent-logger';
import { handmadeToken, SECRET } from '../helpers/tokens';

const NEED = { role: 'creator', vibeId: 'v' } as const;
const GRANT: Grant = { role: 'creator', subject: 'ann', vibe: 'v', expiresAtMs: Infinity, lifeMs: 60_000 };

describe('a doorkeeper', () => {
  const clock = new FakeClock();
  const config = {
    authSecret: SECRET,
    authSecretPrevious: undefined,
    authPublicKey: undefined,
    authJwksUrl: undefined,
    authAudience: 'vibesflow',
    authIssuer: undefined,
  };

  it('asks nobody in open mode', async () => {
    const open = await createDoorkeeper({
      config: { ...config, authMode: 'open', production: false },
      clock,
      logger: silentLogger,
    });
    expect(await open.admit(undefined, { role: 'admin' })).toBeUndefined();
    expect(await open.admit({ token: 'anything', from: 'url' }, NEED)).toBeUndefined();
  });

  it.each([
    ['open', true, 1],
    ['open', false, 0],
    ['token', true, 0],
  ] as const)(
    'in %s mode, production %s, warns that anybody may do anything: %i times',
    async (authMode, production, times) => {
      const warn = jest.fn();
      const logger = { ...silentLogger, warn } as never;
      await createDoorkeeper({ config: { ...config, authMode, production }, clock, logger });
      expect(warn).toHaveBeenCalledTimes(times);
    },
  );

  it('asks everybody for a token in token mode', async () => {
    const strict = await createDoorkeeper({
      config: { ...config, authMode: 'token', production: true },
      clock,
      logger: silentLogger,
    });
    const nowS = Math.floor(clock.epochMs() / 1000);
    const claims = { sub: 'ann', aud: 'vibesflow', role: 'creator', vibe: 'v', exp: nowS + 60 };
    const token = handmadeToken({ alg: 'HS256' }, claims, SECRET);
    expect(await strict.admit({ token, from: 'header' }, NEED)).toMatchObject({ subject: 'ann' });
    expect(codeOf(() => strict.admit(undefined, NEED))).toBe('unauthorized');
    const elsewhere = async () => strict.admit({ token, from: 'header' }, { role: 'creator', vibeId: 'w' });
    await expect(elsewhere()).rejects.toMatchObject({ code: 'forbidden' });
  });

  it.each<[string, number | undefined, string | undefined]>([
    ['short-lived', MAX_URL_LIFE_MS, undefined],
    ['long-lived', MAX_URL_LIFE_MS + 1_000, 'invalid-token'],
    ['of unknown age', undefined, 'invalid-token'],
  ])('takes a token from a URL that is %s: %s', (_what, lifeMs, refusal) => {
    const keeper = new TokenDoorkeeper({ verify: () => ({ ...GRANT, lifeMs }) });
    expect(codeOf(() => keeper.admit({ token: 't', from: 'url' }, NEED))).toBe(refusal);
    expect(codeOf(() => keeper.admit({ token: 't', from: 'header' }, NEED))).toBeUndefined();
  });
});
