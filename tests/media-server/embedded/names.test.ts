import fc from 'fast-check';
import { isStreamName } from '../../../src/media-server/embedded/names';
import { isVibeId } from '../../../src/vibes/vibe-id';

describe('the names of streams', () => {
  it('are the ids of vibes, no more and no less', () => {
    const nearMisses = fc.stringMatching(/^[A-Za-z0-9_.\-/ %]{0,130}$/);
    fc.assert(
      fc.property(fc.oneof(fc.string(), nearMisses), (text) => isStreamName(text) === isVibeId(text)),
      { numRuns: 1_000 },
    );
    for (const text of ['', 'a', '-a', '_a', 'a.b', 'a\n', '../a', 'a'.repeat(128), 'a'.repeat(129)])
      expect([text, isStreamName(text)]).toEqual([text, isVibeId(text)]);
  });
});
