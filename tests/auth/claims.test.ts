import { grantOf, MAX_LIFE_S } from '../../src/auth/claims';
import { codeOf } from '../helpers/code-of';

const NOW_S = 1_800_000_000;
const CLAIMS = { sub: 'ann', role: 'creator', vibe: 'show-*', iat: NOW_S - 60, exp: NOW_S + 540 };

describe('the claims of a token', () => {
  it('become a grant', () => {
    expect(grantOf(CLAIMS, NOW_S * 1000)).toEqual({
      role: 'creator',
      subject: 'ann',
      vibe: 'show-*',
      expiresAtMs: (NOW_S + 540) * 1000,
      lifeMs: 600_000,
    });
  });

  it('may leave out the vibe of an admin, and when it was issued', () => {
    const admin = { sub: 'ops', role: 'admin', exp: NOW_S + 60 };
    expect(grantOf(admin, NOW_S * 1000)).toMatchObject({ vibe: '*', lifeMs: undefined });
  });

  it.each<[string, Record<string, unknown>]>([
    ['no subject', { sub: undefined }],
    ['an empty subject', { sub: '' }],
    ['a subject that breaks lines', { sub: 'a\nb' }],
    ['an endless subject', { sub: 'a'.repeat(257) }],
    ['a subject that is a number', { sub: 7 }],
    ['no role', { role: undefined }],
    ['an unknown role', { role: 'root' }],
    ['a role from the prototype', { role: 'constructor' }],
    ['two roles', { role: ['creator'] }],
    ['no vibe', { vibe: undefined }],
    ['a vibe that is none', { vibe: '../etc' }],
    ['a list of vibes', { vibe: ['a'] }],
    ['no end', { exp: undefined }],
    ['an end in words', { exp: 'never' }],
    ['an end beyond all memory', { exp: NOW_S + MAX_LIFE_S + 60 }],
    ['a beginning in the future', { iat: NOW_S + 60 }],
    ['a beginning in words', { iat: 'yesterday' }],
  ])('are refused with %s', (_what, change) => {
    expect(codeOf(() => grantOf({ ...CLAIMS, ...change }, NOW_S * 1000))).toBe('invalid-token');
  });
});
