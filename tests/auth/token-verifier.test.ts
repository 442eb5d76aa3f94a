import { generateKeyPairSync, type KeyPairKeyObjectResult } from 'node:crypto';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { TokenVerifier, type TokenVerifierOptions } from '../../src/auth/token-verifier';
import type { Grant } from '../../src/auth/grant';
import { Problem } from '../../src/base/errors';
import { FakeClock } from '../helpers/fake-clock';
import { silentLogger } from '../helpers/silent-logger';
import { handmadeToken, SECRET } from '../helpers/tokens';

const OTHER_SECRET = 'An0ther-Secret-0f-32-bytes-0r-m0re';
const HEADER = { alg: 'HS256', typ: 'JWT' };
const DAY_S = 86_400;

let clock: FakeClock;
let nowS: number;

beforeEach(() => {
  clock = new FakeClock();
  nowS = Math.floor(clock.epochMs() / 1000);
});

function claims(change: Record<string, unknown> = {}): Record<string, unknown> {
  return { sub: 'ann', aud: 'vibesflow', role: 'creator', vibe: 'v', iat: nowS, exp: nowS + 600, ...change };
}

function verifier(config: Partial<TokenVerifierOptions['config']> = {}): Promise<TokenVerifier> {
  const settings = {
    authSecret: SECRET,
    authSecretPrevious: undefined,
    authPublicKey: undefined,
    authJwksUrl: undefined,
    authAudience: 'vibesflow',
    authIssuer: undefined,
  };
  return TokenVerifier.open({ config: { ...settings, ...config }, clock, logger: silentLogger });
}

/** The grant's subject, or the code and the sentence of the refusal. */
async function outcome(checked: TokenVerifier | Promise<TokenVerifier>, token: string): Promise<string> {
  try {
    const grant: Grant = await (await checked).verify(token);
    return grant.subject;
  } catch (error) {
    if (error instanceof Problem) return `${error.code}: ${error.message}`;
    throw error;
  }
}

type Pair = KeyPairKeyObjectResult;
const pem = (pair: Pair): string => pair.publicKey.export({ type: 'spki', format: 'pem' }) as string;
const RSA: Pair = generateKeyPairSync('rsa', { modulusLength: 2048 });
const EC: Pair = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const ED: Pair = generateKeyPairSync('ed25519');

describe('a token that is signed with the secret', () => {
  it('is taken, also for another audience besides', async () => {
    expect(await outcome(verifier(), handmadeToken(HEADER, claims(), SECRET))).toBe('ann');
    const several = handmadeToken(HEADER, claims({ aud: ['shop', 'vibesflow'] }), SECRET);
    expect(await outcome(verifier(), several)).toBe('ann');
  });

  it('is taken under either of two secrets while they change', async () => {
    const both = verifier({ authSecret: OTHER_SECRET, authSecretPrevious: SECRET });
    expect(await outcome(both, handmadeToken(HEADER, claims({ sub: 'old' }), SECRET))).toBe('old');
    expect(await outcome(both, handmadeToken(HEADER, claims({ sub: 'new' }), OTHER_SECRET))).toBe('new');
    const token = handmadeToken(HEADER, claims(), SECRET);
    expect(await outcome(verifier({ authSecret: OTHER_SECRET }), token)).toContain('not signed with a key');
  });

  it.each<[string, () => Record<string, unknown>, string]>([
    ['expired', () => ({ exp: nowS - 6 }), 'has expired'],
    ['is not valid yet', () => ({ nbf: nowS + 60 }), 'not valid yet'],
    ['was issued in the future', () => ({ iat: nowS + 60 }), 'iat'],
    ['never expires', () => ({ exp: undefined }), 'exp'],
    ['outlives everybody', () => ({ exp: nowS + 500 * DAY_S }), 'exp'],
    ['is for another service', () => ({ aud: 'shop' }), 'aud'],
    ['is for nobody', () => ({ aud: undefined }), 'aud'],
    ['is of nobody', () => ({ sub: undefined }), 'sub'],
    ['has an unknown role', () => ({ role: 'root' }), 'role'],
  ])('is refused where it %s', async (_what, change, words) => {
    const said = await outcome(verifier(), handmadeToken(HEADER, claims(change()), SECRET));
    expect(said).toMatch(/^invalid-token: /);
    expect(said).toContain(words);
  });

  it('is taken from a machine whose clock is some seconds wrong', async () => {
    const late = handmadeToken(HEADER, claims({ exp: nowS - 4 }), SECRET);
    const early = handmadeToken(HEADER, claims({ nbf: nowS + 4, iat: nowS + 4 }), SECRET);
    expect([await outcome(verifier(), late), await outcome(verifier(), early)]).toEqual(['ann', 'ann']);
  });

  it('must be from the issuer where one is set', async () => {
    const strict = verifier({ authIssuer: 'https://id.example' });
    const from = (iss: unknown): Promise<string> =>
      outcome(strict, handmadeToken(HEADER, claims({ iss }), SECRET));
    expect(await from('https://id.example')).toBe('ann');
    expect(await from('https://id.example.evil')).toContain('iss');
    expect(await from(undefined)).toContain('iss');
  });

  it.each<[string, Record<string, unknown>]>([
    ['none', { alg: 'none' }],
    ['no algorithm', { typ: 'JWT' }],
    ['an algorithm of public keys', { ...HEADER, alg: 'RS256' }],
    ['a longer hash than ours', { ...HEADER, alg: 'HS512' }],
    ['another type', { ...HEADER, typ: 'logout+jwt' }],
    ['a type that is none', { ...HEADER, typ: 7 }],
    ['a key in it', { ...HEADER, jwk: { kty: 'oct', k: 'AAAA' } }],
    ['an address of keys', { ...HEADER, jku: 'http://127.0.0.1:9/keys' }],
    ['an address of a certificate', { ...HEADER, x5u: 'http://127.0.0.1:9/cert' }],
    ['a certificate', { ...HEADER, x5c: ['AAAA'] }],
    ['what must be understood', { ...HEADER, crit: ['b64'], b64: false }],
    ['a compression', { ...HEADER, zip: 'DEF' }],
  ])('is refused with a header that says %s, however well it is signed', async (_what, header) => {
    expect(await outcome(verifier(), handmadeToken(header, claims(), SECRET))).toMatch(/^invalid-token/);
  });

  it.each([
    ['no signature', () => handmadeToken(HEADER, claims())],
    ['a signature by somebody else', () => handmadeToken(HEADER, claims(), OTHER_SECRET)],
    ['a signature of nothing', () => handmadeToken({ ...HEADER, kid: '../../dev/null' }, claims(), '')],
    ['changed claims', () => handmadeToken(HEADER, claims(), SECRET).replace(/\.[^.]+\./, `.${'e30'}.`)],
    ['two parts', () => 'a.b'],
    ['four parts', () => `${handmadeToken(HEADER, claims(), SECRET)}.x`],
    ['five parts', () => 'a.b.c.d.e'],
    ['no base64', () => '!!!.???.###'],
    ['claims that are a list', () => handmadeToken(HEADER, [] as never, SECRET)],
    ['nothing', () => ''],
    ['10,000 characters', () => handmadeToken(HEADER, claims({ pad: 'x'.repeat(10_000) }), SECRET)],
  ])('is refused with %s', async (_what, make) => {
    expect(await outcome(verifier(), make())).toMatch(/^invalid-token/);
  });

  it('is known for a minute, without being checked again, and not beyond its end', async () => {
    const checked = await verifier();
    const token = handmadeToken(HEADER, claims({ exp: nowS + 90 }), SECRET);
    const first = checked.verify(token);
    expect(first).toBeInstanceOf(Promise);
    await first;
    expect(checked.verify(token)).toMatchObject({ subject: 'ann' });
    clock.advance(60_000);
    const again = checked.verify(token);
    expect(again).toBeInstanceOf(Promise);
    await again;
    clock.advance(29_999);
    expect(checked.verify(token)).toMatchObject({ subject: 'ann' });
    clock.advance(6_001);
    expect(await outcome(checked, token)).toContain('has expired');
  });
});

describe('a token that is signed elsewhere', () => {
  it.each<[string, Pair]>([
    ['RS256', RSA],
    ['ES256', EC],
    ['EdDSA', ED],
    ['Ed25519', ED],
  ])('with %s is checked with the public key', async (alg, pair) => {
    const checked = verifier({ authSecret: undefined, authPublicKey: pem(pair) });
    const token = handmadeToken({ alg, typ: 'at+jwt', kid: 'k' }, claims(), pair.privateKey);
    expect(await outcome(checked, token)).toBe('ann');
    const forged = generateKeyPairSync('ed25519').privateKey;
    expect(await outcome(checked, handmadeToken({ alg }, claims(), forged))).toMatch(/^invalid-token/);
  });

  it('is refused where the public key was taken for a secret', async () => {
    const checked = verifier({ authPublicKey: pem(RSA) });
    expect(await outcome(checked, handmadeToken(HEADER, claims(), pem(RSA)))).toMatch(/^invalid-token/);
    const alone = verifier({ authSecret: undefined, authPublicKey: pem(RSA) });
    expect(await outcome(alone, handmadeToken(HEADER, claims(), pem(RSA)))).toMatch(/^invalid-token/);
  });

  it('is refused with an algorithm of another kind of key', async () => {
    const checked = verifier({ authPublicKey: pem(EC) });
    expect(await outcome(checked, handmadeToken({ alg: 'RS256' }, claims(), RSA.privateKey))).toMatch(
      /^invalid-token/,
    );
  });
});

describe('keys that are published', () => {
  let server: http.Server;
  let url: string;
  let asked: number;
  let answer: () => { status: number; body: string };
  const jwk = (pair: Pair, kid: string): object => ({ ...pair.publicKey.export({ format: 'jwk' }), kid });

  beforeEach(async () => {
    asked = 0;
    answer = () => ({ status: 200, body: JSON.stringify({ keys: [jwk(EC, 'a'), jwk(RSA, 'b')] }) });
    server = http.createServer((_req, res) => {
      asked += 1;
      const { status, body } = answer();
      res.writeHead(status, { 'content-type': 'application/json', connection: 'close' }).end(body);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/jwks`;
  });
  afterEach(() => new Promise((resolve) => server.close(resolve)));

  it('are fetched once, and picked by the token’s kid', async () => {
    const checked = verifier({ authSecret: undefined, authJwksUrl: url });
    const by = (alg: string, kid: string, pair: Pair): Promise<string> =>
      outcome(checked, handmadeToken({ alg, kid }, claims(), pair.privateKey));
    expect(await by('ES256', 'a', EC)).toBe('ann');
    expect(await by('RS256', 'b', RSA)).toBe('ann');
    expect(await by('RS256', '../../dev/null', RSA)).toMatch(/^invalid-token/);
    expect(await by('ES256', 'b', EC)).toMatch(/^invalid-token/);
    expect(asked).toBe(1);
  });

  it('never make secrets of themselves', async () => {
    const shared = { kty: 'oct', kid: 'c', k: Buffer.from(SECRET).toString('base64url'), alg: 'HS256' };
    answer = () => ({ status: 200, body: JSON.stringify({ keys: [shared] }) });
    const checked = verifier({ authSecret: undefined, authJwksUrl: url });
    expect(await outcome(checked, handmadeToken({ ...HEADER, kid: 'c' }, claims(), SECRET))).toMatch(
      /^invalid-token/,
    );
  });

  it.each<[string, number, string]>([
    ['answers 500', 500, 'oops'],
    ['answers something else', 200, '<html>'],
    ['sends elsewhere', 302, ''],
  ])('are no reason to refuse for ever where their server %s', async (_what, status, body) => {
    answer = () => ({ status, body });
    const checked = verifier({ authSecret: undefined, authJwksUrl: url });
    const token = handmadeToken({ alg: 'ES256', kid: 'a' }, claims(), EC.privateKey);
    expect(await outcome(checked, token)).toMatch(/^keys-unavailable/);
  });
});
