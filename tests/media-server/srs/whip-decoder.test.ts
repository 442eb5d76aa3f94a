import type { PcmFormat } from '../../../src/audio/pcm';
import { systemClock } from '../../../src/base/clock';
import type { FfmpegEnd } from '../../../src/media-server/srs/ffmpeg-child';
import { silentOpus } from '../../../src/media-server/srs/opus';
import { decoderArguments, WhipDecoder } from '../../../src/media-server/srs/whip-decoder';
import { eventually } from '../../helpers/eventually';
import { ffmpegTools } from '../../helpers/ffmpeg-tools';

const STEREO: PcmFormat = { sampleFormat: 's16le', sampleRate: 48_000, channels: 2 };
const [SILENT_20_MS] = silentOpus(960) as [Buffer];

describe('the decoder of a browser’s Opus', () => {
  let bytes: number;
  let isWarm: boolean;
  let deaths: FfmpegEnd[];
  let decoder: WhipDecoder;

  beforeEach(() => {
    bytes = 0;
    isWarm = false;
    deaths = [];
  });
  afterEach(async () => decoder.close());

  async function start(format = STEREO): Promise<void> {
    decoder = new WhipDecoder({
      tools: ffmpegTools(),
      clock: systemClock,
      format,
      onPcm: (pcm) => (bytes += pcm.length),
      onWarm: () => (isWarm = true),
      onDeath: (end) => deaths.push(end),
    });
    await eventually('it is warm', () => isWarm, { withinMs: 30_000 });
  }

  it('gives a packet’s samples before the next one comes, and none of its own', async () => {
    await start();
    expect(bytes).toBe(0);
    for (let packets = 1; packets <= 5; packets += 1) {
      decoder.write(SILENT_20_MS);
      await eventually(`${packets} packets`, () => bytes === packets * 3_840);
    }
    await decoder.close();
    expect(bytes).toBe(5 * 3_840);
    expect(deaths).toEqual([]);
  });

  it('gives the format that is wanted', async () => {
    await start({ sampleFormat: 'f32le', sampleRate: 24_000, channels: 1 });
    for (let packets = 0; packets < 50; packets += 1) decoder.write(SILENT_20_MS);
    await decoder.close();
    // A second, less what the resampler held back of the first packet's.
    expect(bytes).toBeGreaterThan(0.95 * 24_000 * 4);
    expect(bytes).toBeLessThanOrEqual(1.02 * 24_000 * 4);
  });

  it('tells of its death, unless it was asked for', async () => {
    await start();
    process.kill(decoder.pid as number, 'SIGKILL');
    await eventually('it is gone', () => deaths.length === 1);
    expect(deaths[0]).toMatchObject({ signal: 'SIGKILL' });
    decoder.write(SILENT_20_MS);
  });

  it('reads nothing but its standard input', async () => {
    const args = decoderArguments(STEREO).join(' ');
    expect(args).toContain('-protocol_whitelist pipe');
    expect(args).toContain('-f ogg -i pipe:0 -ar 48000 -ac 2 -f s16le');
    await start();
  });
});
