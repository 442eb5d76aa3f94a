import { generateKeyPairSync } from 'node:crypto';
import * as jose from 'jose';
import { secretKey, TokenKeys } from '../../src/auth/token-keys';
import { SECRET } from '../helpers/tokens';

const NONE = {
  authSecret: undefined,
  authSecretPrevious: undefined,
  authPublicKey: undefined,
  authJwksUrl: undefined,
};
const ALGORITHMS = ['HS256', 'RS256', 'ES256', 'EdDSA', 'Ed25519', 'HS512', 'PS256', 'none', 'constructor'];

describe('the keys of tokens', () => {
  const counts = (keys: TokenKeys): number[] => ALGORITHMS.map((algorithm) => keys.for(algorithm).length);

  it('each have their own algorithms', () => {
    const pem = generateKeyPairSync('ed25519').publicKey.export({ type: 'spki', format: 'pem' }) as string;
    expect(counts(new TokenKeys(NONE, jose))).toEqual([0, 0, 0, 0, 0, 0, 0, 0, 0]);
    expect(counts(new TokenKeys({ ...NONE, authSecret: SECRET }, jose))).toEqual([1, 0, 0, 0, 0, 0, 0, 0, 0]);
    expect(counts(new TokenKeys({ ...NONE, authPublicKey: pem }, jose))).toEqual([0, 0, 0, 1, 1, 0, 0, 0, 0]);
    const url = 'http://127.0.0.1:9/jwks';
    expect(counts(new TokenKeys({ ...NONE, authJwksUrl: url }, jose))).toEqual([0, 1, 1, 1, 1, 0, 0, 0, 0]);
  });

  it('are two secrets while they change, the newer first', () => {
    const keys = new TokenKeys({ ...NONE, authSecret: SECRET, authSecretPrevious: 'p'.repeat(32) }, jose);
    expect(keys.for('HS256')).toEqual([secretKey(SECRET), secretKey('p'.repeat(32))]);
  });
});
