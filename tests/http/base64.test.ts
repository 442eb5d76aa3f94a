import fc from 'fast-check';
import { Problem } from '../../src/base/errors';
import { decodeBase64 } from '../../src/http/base64';

const isRefused = (text: string): boolean => {
  try {
    decodeBase64(text);
    return false;
  } catch (error) {
    return error instanceof Problem && error.code === 'invalid-audio-data';
  }
};

describe('base64', () => {
  it('gives back the bytes that were encoded', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
        expect(decodeBase64(Buffer.from(bytes).toString('base64'))).toEqual(Buffer.from(bytes));
      }),
    );
  });

  it('with any one character changed is other bytes of the same length, or refused', () => {
    const character = fc.constantFrom(...'AZaz09+/=-_ \n\t*.,%é\0');
    fc.assert(
      fc.property(
        fc.uint8Array({ minLength: 1, maxLength: 60 }),
        fc.nat(),
        character,
        (bytes, position, other) => {
          const text = Buffer.from(bytes).toString('base64');
          const at = position % text.length;
          const changed = text.slice(0, at) + other + text.slice(at + 1);
          if (isRefused(changed)) return;
          // What is taken is exactly what an encoder would write.
          expect(decodeBase64(changed).toString('base64')).toBe(changed);
        },
      ),
    );
  });

  it.each([
    'A',
    'AA',
    'AAA',
    'AAAAA',
    '=',
    '====',
    'A===',
    'AA=A',
    'AAAA====',
    'AB==',
    'AAB=',
    'AAAA\n',
    ' AAAA',
    'AA-_',
  ])('is not %j', (text) => {
    expect(isRefused(text)).toBe(true);
  });
});
