import { parseAacConfig } from '../../../src/media-server/embedded/aac-config';

function parse(hex: string): ReturnType<typeof parseAacConfig> {
  return parseAacConfig(Buffer.from(`af00${hex}`, 'hex'));
}

describe('an AAC configuration', () => {
  it('says what FFmpeg’s encoder makes: AAC-LC, 48 kHz, stereo', () => {
    expect(parse('119056e500')).toEqual({
      adts: { objectType: 2, rateIndex: 3, channels: 2 },
      sampleRate: 48_000,
      frameSamples: 1024,
    });
  });

  it('says other rates, channels and frame lengths', () => {
    expect(parse('1210')).toMatchObject({ sampleRate: 44_100, frameSamples: 1024 });
    expect(parse('1588')).toMatchObject({ sampleRate: 8_000, adts: { channels: 1 } });
    expect(parse('1194')).toMatchObject({ frameSamples: 960 });
  });

  it('names the plain AAC within HE-AAC', () => {
    // Object type 5 at 24 kHz, with an extension to 48 kHz over object type 2.
    expect(parse('2b118800')).toMatchObject({ sampleRate: 24_000, adts: { objectType: 2, rateIndex: 6 } });
  });

  it.each([
    ['torn', '11', 'too short'],
    ['empty', '', 'too short'],
    ['a rate outside of the table', '1780', 'outside of the table'],
    ['a reserved rate', '1690', 'rate index 13'],
    ['no channel configuration', '1180', 'channel configuration 0'],
    ['an object type that ADTS has no bits for', 'b990', 'object type 23'],
  ])('is refused where it is %s', (_, hex, message) => {
    expect(() => parse(hex)).toThrow(message);
  });
});
