import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import {
  sampleBytes,
  silence,
  type PcmFormat,
  type SampleFormat,
  valueAccess,
  valueBytes,
} from '../../src/audio/pcm';
import { systemClock } from '../../src/base/clock';
import { encoderCommand } from '../../src/encoder/command';
import { findFfmpeg, probeFfmpeg } from '../../src/encoder/ffmpeg-path';
import { aacFrame, FlvParser, isAacConfig } from '../../src/media-server/flv';
import { splitAdts } from '../helpers/adts';
import { QUIET } from '../helpers/ffmpeg';
import { outputOf } from '../helpers/run-program';
import { ENVIRONMENT, expectNoChildren, feed, processOf } from './encoder-house';

function found(find: () => string): string | undefined {
  try {
    return find();
  } catch {
    return undefined;
  }
}

/** The FFmpegs that are here. Set FFMPEG7_PATH for the newest generation. */
const FFMPEGS: [string, string | undefined][] = [
  ['the packaged FFmpeg', found(() => findFfmpeg(undefined, { PATH: '' }))],
  ['the system’s FFmpeg', found(() => findFfmpeg('ffmpeg', ENVIRONMENT))],
  ['the FFmpeg of FFMPEG7_PATH', process.env['FFMPEG7_PATH'] || undefined],
];

const FORMATS: [SampleFormat, number, number][] = [
  ['s16le', 48_000, 2],
  ['s16le', 44_100, 1],
  ['s16le', 8_000, 1],
  ['u8', 48_000, 2],
  ['u8', 8_000, 1],
  ['s24le', 48_000, 2],
  ['s32le', 96_000, 2],
  ['f32le', 48_000, 2],
  ['s16le', 192_000, 8],
  ['s24le', 44_100, 6],
  ['f32le', 11_025, 5],
];

/** Makes whole samples at every rate above, and no whole packet or AAC frame. */
const SECONDS = 0.68;

/** What FFmpeg warns of in every stream: channels have no names, and the last packet is not full. */
const HARMLESS = /guessed channel layout|packet corrupt|corrupt input packet/i;

/** Two sliding tones a channel: no two frames are alike. */
function music(format: PcmFormat, seconds: number): Buffer {
  const samples = Math.round(format.sampleRate * seconds);
  const pcm = silence(samples, format);
  const { write } = valueAccess(format);
  const width = valueBytes(format);
  for (let at = 0; at < samples; at += 1) {
    const t = at / format.sampleRate;
    for (let channel = 0; channel < format.channels; channel += 1) {
      const low = Math.sin(2 * Math.PI * (220 * (channel + 1) + 40 * t) * t);
      const high = Math.sin(2 * Math.PI * (1_330 - 90 * t) * t + channel);
      write(pcm, (at * format.channels + channel) * width, 0.4 * low + 0.2 * high);
    }
  }
  return pcm;
}

function aacFramesOf(flv: Buffer): { flags: number | undefined; frames: Buffer[] } {
  const frames: Buffer[] = [];
  let flags: number | undefined;
  const parser = new FlvParser({
    onHeader: (seen) => (flags = seen),
    onTag: ({ type, body }) => {
      if (type === 8 && !isAacConfig(body)) frames.push(Buffer.from(aacFrame(body)));
    },
  });
  parser.push(flv);
  return { flags, frames };
}

describe.each(FFMPEGS)('%s', (_name, ffmpegPath) => {
  let directory: string;
  beforeEach(() => (directory = mkdtempSync(path.join(os.tmpdir(), 'encoder-'))));
  afterEach(async () => {
    rmSync(directory, { recursive: true });
    await expectNoChildren();
  });

  // A test that has no FFmpeg to test is shown as skipped, by name.
  const each = (ffmpegPath ? it : it.skip).each(FORMATS);

  each(
    'makes of %s at %i Hz with %i channels, to the last sample, the AAC frames of an offline encode',
    async (sampleFormat, sampleRate, channels) => {
      const program = ffmpegPath as string;
      const format: PcmFormat = { sampleFormat, sampleRate, channels };
      const pcm = music(format, SECONDS);
      const file = path.join(directory, 'out.flv');
      const ffmpeg = await probeFfmpeg(program, ENVIRONMENT);
      const aac = { aacBitrate: '128k', aacCoder: 'twoloop' } as const;
      const command = encoderCommand({ ffmpeg, format, ...aac, outputUrl: file });

      const { child } = processOf(program, { ...command, sampleBytes: sampleBytes(format) });
      await feed(child, pcm, 4_800);
      await child.end();
      expect(child.samplesFed).toBe(pcm.length / sampleBytes(format));
      expect(child.outTimeUs).toBeGreaterThanOrEqual(SECONDS * 1e6);
      expect(child.stderr.filter((line) => !HARMLESS.test(line))).toEqual([]);

      const raw = ['-f', sampleFormat, '-ar', String(sampleRate), '-ac', String(channels), '-i', 'pipe:0'];
      const coder = ['-c:a', 'aac', '-b:a', '128k', '-aac_coder', 'twoloop', '-ar', '48000', '-ac', '2'];
      const offline = await outputOf(program, [...QUIET, ...raw, ...coder, '-f', 'adts', 'pipe:1'], {
        input: pcm,
      });
      const { frames } = aacFramesOf(readFileSync(file));
      const expected = splitAdts(offline);
      expect(expected.length).toBeGreaterThan(30);
      expect(frames.length).toBe(expected.length);
      expect(frames.findIndex((frame, at) => !frame.equals(expected[at] as Buffer))).toBe(-1);
    },
  );

  (ffmpegPath ? it : it.skip)(
    'accepts the options of an RTMP output, and says that nobody listens',
    async () => {
      const ffmpeg = await probeFfmpeg(ffmpegPath as string, ENVIRONMENT);
      const format: PcmFormat = { sampleFormat: 's16le', sampleRate: 48_000, channels: 2 };
      const outputUrl = 'rtmp://127.0.0.1:9/live/song?token=one-time-secret';
      const { child } = processOf(ffmpegPath as string, {
        ...encoderCommand({ ffmpeg, format, aacBitrate: '128k', aacCoder: 'fast', outputUrl }),
        clock: systemClock,
      });
      const exited = new Promise((resolve) => child.once('exit', resolve));
      await once(child, 'writable');
      child.write(music(format, 0.2));
      expect(await exited).toMatchObject({ asked: 'nothing', signal: null });
      const said = child.stderr.join('\n');
      expect(said).toMatch(/Connection refused|Cannot open connection/);
      expect(said).not.toMatch(/[Uu]nrecognized|not found|has not been used|one-time-secret/);
    },
  );
});
