import { OggOpus } from '../../../src/media-server/srs/ogg-opus';
import { opusSamples, silentOpus } from '../../../src/media-server/srs/opus';
import { decode } from '../../helpers/ffmpeg';

describe('an Opus packet', () => {
  it.each<[string, number[], number]>([
    ['CELT, 20 ms', [0xfc, 0], 960],
    ['CELT, 2.5 ms', [0xe0, 0], 120],
    ['SILK, 60 ms', [0x18, 0], 2_880],
    ['hybrid, 10 ms', [0x60, 0], 480],
    ['two frames', [0xfd, 0], 1_920],
    ['two frames of two lengths', [0xfe, 0], 1_920],
    ['three frames', [0xff, 3], 2_880],
    ['more than 120 ms', [0xff, 7], 0],
    ['nothing', [], 0],
  ])('lasts as long as its first bytes say: %s', (_what, bytes, samples) => {
    expect(opusSamples(Buffer.from(bytes))).toBe(samples);
  });

  it.each([
    [0, []],
    [479, []],
    [480, [480]],
    [960, [960]],
    [2_400, [960, 960, 480]],
  ])('of silence fits into %d samples', (samples, expected) => {
    expect(silentOpus(samples).map(opusSamples)).toEqual(expected);
  });

  it('of silence is heard as silence, sample for sample', async () => {
    const ogg = new OggOpus();
    const stream = [ogg.header(), ...silentOpus(2_400).map((packet) => ogg.packet(packet))];
    const sound = await decode(Buffer.concat(stream), 'ogg');
    expect(sound).toHaveLength(2 * 2_400);
    expect(sound.every((value) => value === 0)).toBe(true);
  });
});
