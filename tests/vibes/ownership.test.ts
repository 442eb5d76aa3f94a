import { Ownership } from '../../src/vibes/ownership';
import { codeOf } from '../helpers/code-of';

describe('ownership', () => {
  it.each([
    ['ann', { creator: 'ann' }, undefined, undefined],
    ['ann', { creator: 'bob' }, 'wrong-creator', 'wrong-creator'],
    ['ann', {}, 'wrong-creator', undefined],
    [undefined, {}, undefined, undefined],
    [undefined, { creator: 'bob' }, undefined, undefined],
  ])('of %s, acted on with %j: audio %s, end %s', (creator, claim, audio, end) => {
    const ownership = new Ownership({ creator });
    expect(codeOf(() => ownership.checkAudio(claim))).toBe(audio);
    expect(codeOf(() => ownership.checkEnd(claim))).toBe(end);
  });

  it('needs the key once it is claimed, the name alone is not enough', () => {
    const ownership = new Ownership({ creator: 'ann' });
    const ownerKey = ownership.claim();
    for (const check of ['checkAudio', 'checkEnd'] as const) {
      expect(codeOf(() => ownership[check]({ creator: 'ann' }))).toBe('unauthorized');
      expect(codeOf(() => ownership[check]({ creator: 'ann', ownerKey: `${ownerKey}x` }))).toBe(
        'wrong-owner-key',
      );
      expect(codeOf(() => ownership[check]({ creator: 'bob', ownerKey }))).toBe('wrong-creator');
      expect(codeOf(() => ownership[check]({ ownerKey }))).toBeUndefined();
    }
  });

  it.each([
    ['ann', { subject: 'ann', isAdmin: false }, undefined],
    ['ann', { subject: 'bob', isAdmin: false }, 'refused'],
    ['ann', { subject: 'ops', isAdmin: true }, undefined],
    [undefined, { subject: 'ann', isAdmin: false }, 'refused'],
    [undefined, { subject: 'ops', isAdmin: true }, undefined],
  ])('of the bearer %s, acted on by %j: %s, whatever names are said', (subject, bearer, outcome) => {
    const ownership = new Ownership({ creator: 'name', subject });
    const claim = { creator: 'name', bearer };
    expect(codeOf(() => ownership.checkAudio(claim))).toBe(outcome && 'wrong-creator');
    expect(codeOf(() => ownership.checkEnd(claim))).toBe(outcome && 'wrong-creator');
    expect(codeOf(() => ownership.checkStart(claim))).toBe(outcome && 'creator-conflict');
  });

  it('lets a claimed vibe be started again with its key only', () => {
    const ownership = new Ownership({ creator: 'ann' });
    const ownerKey = ownership.claim();
    expect(codeOf(() => ownership.checkStart({ creator: 'ann' }))).toBe('unauthorized');
    expect(codeOf(() => ownership.checkStart({ creator: 'ann', ownerKey: 'guess' }))).toBe('wrong-owner-key');
    expect(codeOf(() => ownership.checkStart({ creator: 'ann', ownerKey }))).toBeUndefined();
    expect(codeOf(() => ownership.checkStart({ ownerKey }))).toBeUndefined();
    expect(codeOf(() => ownership.checkStart({ creator: 'bob', ownerKey }))).toBe('creator-conflict');
  });

  it('makes its key once', () => {
    const ownership = new Ownership({ creator: 'ann' });
    expect(ownership.claim()).toHaveLength(43);
    expect(ownership.claim()).toBeUndefined();
  });

  it('outlives its daemon as a hash, which is not the key', () => {
    const before = new Ownership({ creator: 'ann' });
    expect(before.keyHash).toBeUndefined();
    const ownerKey = before.claim() as string;
    expect(before.keyHash).toMatch(/^[0-9a-f]{64}$/);
    const after = new Ownership({ creator: 'ann', keyHash: before.keyHash });
    expect(after.isClaimed).toBe(true);
    expect(after.claim()).toBeUndefined();
    expect(codeOf(() => after.checkAudio({ ownerKey }))).toBeUndefined();
    expect(codeOf(() => after.checkAudio({ ownerKey: before.keyHash }))).toBe('wrong-owner-key');
  });
});
