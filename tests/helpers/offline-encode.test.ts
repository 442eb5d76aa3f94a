import { joinAdts, splitAdts } from './adts';
import { decode } from './ffmpeg';
import { music } from './music';
import { encodeOffline, expectSameFrames } from './offline-encode';

describe('the offline encode', () => {
  let reference: Buffer[];
  beforeAll(async () => {
    reference = await encodeOffline(music(3, 11));
  });

  it('is deterministic', async () => {
    expect(await encodeOffline(music(3, 11))).toEqual(reference);
  });

  it('changes when one sample is missing', async () => {
    const pcm = music(3, 11);
    const torn = Buffer.concat([pcm.subarray(0, 48_000), pcm.subarray(48_004)]);
    expect(() => expectSameFrames(reference, reference)).not.toThrow();
    const heard = await encodeOffline(torn);
    expect(() => expectSameFrames(heard, reference)).toThrow(/^frame \d+ of \d+ .* differs/);
  });

  it('survives the way to ADTS and back, and decodes to 1024 samples a frame', async () => {
    expect(splitAdts(joinAdts(reference))).toEqual(reference);
    const decoded = await decode(joinAdts(reference), 'aac');
    expect(decoded.length / 2).toBe(reference.length * 1024);
  });

  describe('held against what was heard', () => {
    it('takes a listener that came late', () => {
      expect(expectSameFrames(reference.slice(20), reference)).toEqual({
        firstFrame: 20,
        equalFrames: reference.length - 20,
      });
    });

    it('lets the last two frames go, and no more', () => {
      expect(expectSameFrames(reference.slice(0, -2), reference).firstFrame).toBe(0);
      expect(() => expectSameFrames(reference.slice(0, -3), reference)).toThrow(/and then no more/);
      const odd = Buffer.from('odd');
      expect(expectSameFrames([...reference.slice(0, -2), odd, odd, odd], reference).firstFrame).toBe(0);
      expect(() => expectSameFrames([...reference.slice(0, -3), odd, odd, odd], reference)).toThrow(
        /differs/,
      );
    });

    it('refuses frames after the end', () => {
      const more = Array.from({ length: 3 }, () => Buffer.from('more'));
      expect(() => expectSameFrames([...reference, ...more], reference)).toThrow(/1 frames more/);
    });

    it('names a lost frame exactly', () => {
      const heard = [...reference.slice(0, 50), ...reference.slice(51)];
      expect(() => expectSameFrames(heard, reference)).toThrow(
        /^frame 50 of .* equal again from heard frame 50 = expected frame 51$/,
      );
    });

    it('names a repeated frame exactly', () => {
      const heard = [...reference.slice(0, 51), ...reference.slice(50)];
      expect(() => expectSameFrames(heard, reference)).toThrow(
        /^frame 51 of .* equal again from heard frame 51 = expected frame 50$/,
      );
    });

    it('refuses what is something else altogether', async () => {
      const other = await encodeOffline(music(1, 12));
      expect(() => expectSameFrames(other, reference)).toThrow(/is none of/);
      expect(() => expectSameFrames([], reference)).toThrow(/is none of/);
    });
  });
});
