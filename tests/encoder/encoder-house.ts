import path from 'node:path';
import { DEFAULT_FORMAT } from '../../src/audio/pcm';
import { Metrics } from '../../src/base/metrics';
import type { Encoder, EncoderState } from '../../src/encoder/encoder';
import { EncoderProcess, type EncoderProcessOptions } from '../../src/encoder/process';
import { childEnvironment } from '../../src/encoder/spawn';
import { SpawnLimiter } from '../../src/encoder/spawn-limiter';
import { SupervisedEncoder, type EncoderHouse } from '../../src/encoder/supervised-encoder';
import { eventually } from '../helpers/eventually';
import { FakeClock } from '../helpers/fake-clock';
import { descendants, describeProcess } from '../helpers/processes';
import { silentLogger } from '../helpers/silent-logger';

export const ENVIRONMENT = childEnvironment(process.env);

/** 20 ms of 48 kHz stereo s16le. */
export const CHUNK = Buffer.alloc(3_840);
export const CHUNK_SAMPLES = 960;

/** The path of `tests/fixtures/ffmpeg-NAME.js`. */
export function fixture(name: string): string {
  return path.resolve(__dirname, `../fixtures/ffmpeg-${name}.js`);
}

/** An encoder that runs a fixture FFmpeg, on a clock that stands still. */
export function supervised(
  name: string,
  overrides: Partial<EncoderHouse> = {},
): { encoder: SupervisedEncoder; clock: FakeClock; house: EncoderHouse } {
  const clock = new FakeClock();
  const house: EncoderHouse = {
    clock,
    logger: silentLogger,
    metrics: new Metrics(),
    random: () => 0.5,
    spawnLimiter: new SpawnLimiter(clock),
    ffmpeg: { path: fixture(name), version: 'fixture', major: 5, readsCaf: false },
    leash: [],
    environment: ENVIRONMENT,
    aac: { aacBitrate: '128k', aacCoder: 'twoloop' },
    publishUrl: (vibeId, token) => `rtmp://127.0.0.1:1/live/${vibeId}?token=${token}`,
    whenClear: (_vibeId, go) => {
      go();
      return { cancel: () => undefined };
    },
    mediaServerUp: () => true,
    ...overrides,
  };
  return { encoder: new SupervisedEncoder(house, { vibeId: 'song', format: DEFAULT_FORMAT }), clock, house };
}

/** One process of a fixture FFmpeg. */
export function processOf(
  ffmpegPath: string,
  overrides: Partial<EncoderProcessOptions> = {},
): { child: EncoderProcess; clock: FakeClock } {
  const clock = new FakeClock();
  const child = new EncoderProcess({
    ...{ clock, ffmpegPath, leash: [], environment: ENVIRONMENT, args: ['rtmp://127.0.0.1:1/live/song'] },
    ...{ preamble: Buffer.alloc(0), sampleBytes: 4, secret: 'one-time-secret' },
    ...overrides,
  });
  return { child, clock };
}

/** Resolves when the encoder is in that state. */
export async function untilState(encoder: Encoder, state: EncoderState): Promise<void> {
  if (encoder.state === state) return;
  await new Promise<void>((resolve) => {
    const look = ({ to }: { to: EncoderState }): void => {
      if (to !== state) return;
      encoder.off('state', look);
      resolve();
    };
    encoder.on('state', look);
  });
}

interface Feedable {
  readonly writable: boolean;
  write(bytes: Buffer): void;
  on(event: 'writable', listener: () => void): unknown;
  off(event: 'writable', listener: () => void): unknown;
}

/** Writes `bytes` piece by piece, each when the pipe has taken the one before. */
export async function feed(encoder: Feedable, bytes: Buffer, pieceBytes = CHUNK.length): Promise<void> {
  for (let at = 0; at < bytes.length; at += pieceBytes) {
    if (!encoder.writable) {
      await new Promise<void>((resolve) => {
        const go = (): void => {
          encoder.off('writable', go);
          resolve();
        };
        encoder.on('writable', go);
      });
    }
    encoder.write(bytes.subarray(at, at + pieceBytes));
  }
}

/** Fails where this test left a process behind. */
export async function expectNoChildren(): Promise<void> {
  let left: string[] = [];
  await eventually('all children to be gone', () => {
    left = descendants(process.pid).map(describeProcess);
    return left.length === 0;
  }).catch(() => {
    throw new Error(`left behind: ${left.join('; ')}`);
  });
}
