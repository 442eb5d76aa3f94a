import { isVibePattern, matchesVibe } from '../../src/auth/vibe-pattern';

describe('a pattern of vibe ids', () => {
  it.each([
    ['show', 'show', true],
    ['show', 'Show', false],
    ['show', 'show-1', false],
    ['*', 'anything', true],
    ['show-*', 'show-1', true],
    ['show-*', 'show-', true],
    ['show-*', 'show', false],
    ['*-live', 'a-live', true],
    ['*-live', 'live', false],
    ['a*a', 'a', false],
    ['a*a', 'aa', true],
    ['a*b*c', 'a-b-c', true],
    ['a*b*c', 'acb', false],
    ['a*bc*c', 'abc', false],
    ['a**c', 'abc', true],
  ])('%s for %s: %s', (pattern, vibeId, expected) => {
    expect(matchesVibe(pattern, vibeId)).toBe(expected);
  });

  it('takes no longer for the worst of them than for others', () => {
    const pattern = `${'*a'.repeat(63)}*b`;
    const startedMs = performance.now();
    for (let round = 0; round < 1_000; round += 1) expect(matchesVibe(pattern, 'a'.repeat(128))).toBe(false);
    // Backtracking would take years for one.
    expect(performance.now() - startedMs).toBeLessThan(5_000);
  });

  it.each(['', '-a', 'a.b', 'a/b', 'a b', '../*', 'a\n', 'x'.repeat(129)])('is not %j', (text) => {
    expect(isVibePattern(text)).toBe(false);
  });

  it.each(['*', 'a', 'a-*', '*_b', '0'])('is %s', (text) => {
    expect(isVibePattern(text)).toBe(true);
  });
});
