import { isSameSecret } from '../../src/base/same-secret';

describe('two secrets', () => {
  it.each([
    ['abcdefghijklmnop', 'abcdefghijklmnop', true],
    ['abcdefghijklmnop', 'abcdefghijklmnoq', false],
    ['abcdefghijklmnop', 'abcdefghijklmno', false],
    ['', 'abcdefghijklmnop', false],
    ['ä', 'a\u0308', false],
  ])('%j and %j: %p', (given, wanted, same) => {
    expect(isSameSecret(given, wanted)).toBe(same);
  });
});
