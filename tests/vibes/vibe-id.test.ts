import fc from 'fast-check';
import { Problem } from '../../src/base/errors';
import { checkVibeId, isVibeId } from '../../src/vibes/vibe-id';

describe('a vibe id', () => {
  it.each(['a', '7', 'metis_vibe_1700000000_x9', 'rta_1_2', 'A-b_C', 'x'.repeat(128)])('may be %s', (id) => {
    expect(checkVibeId(id)).toBe(id);
  });

  it.each([
    '',
    '_x',
    '-report',
    'a.b',
    'a/b',
    '../etc',
    'a b',
    'a\nb',
    'a|[f=adts]/tmp/x',
    'a?vhost=evil',
    'a\0',
    'ä',
    'x'.repeat(129),
    '$(id)',
    'a\n',
  ])('may not be %j', (id) => {
    expect(isVibeId(id)).toBe(false);
    expect(() => checkVibeId(id)).toThrow(Problem);
  });

  it('never holds what means something in a path, a URL or an argument list', () => {
    fc.assert(
      fc.property(
        fc.oneof(fc.string({ unit: 'binary' }), fc.stringMatching(/^[\w.~%/?-]{0,140}$/)),
        (text) => {
          if (!isVibeId(text)) return;
          expect(encodeURIComponent(text)).toBe(text);
          expect(text).toMatch(/^[^-]/);
        },
      ),
      { numRuns: 2_000 },
    );
  });
});
