import { spawn } from 'node:child_process';
import { performance } from 'node:perf_hooks';
import { DEFAULT_FORMAT } from '../../src/audio/pcm';
import { cafHeader } from '../../src/encoder/caf-header';
import { aacFrame, FlvParser, isAacConfig } from '../../src/media-server/flv';
import { FFMPEG, QUIET } from './ffmpeg';
import type { HeardFrame } from './flv-listener';
import { paced, type Pacing, type Send } from './pacing';

/** A WAV header without an end: with `-max_size 4096` FFmpeg of every version then reads one AAC frame at a time. */
const STREAMING_WAV_HEADER = Buffer.from(
  '52494646ffffffff57415645666d7420100000000100020080bb000000ee02000400100064617461ffffffff',
  'hex',
);

/**
 * What an FFmpeg is fed. FFmpeg 4 does not know `-max_size`, and needs none: it reads raw PCM an AAC frame at a time. WAV is
 * held back for 341 ms at first, to see whether it is S/PDIF; FFmpeg 5 starts quickest with raw PCM, and FFmpeg 7, which reads
 * 85 ms of that first, with CAF.
 */
export interface BareFfmpeg {
  readonly path: string;
  readonly input: 'wav' | 'raw' | 'caf';
}

/** Its own, an AAC frame at a time. */
export const DEFAULT_BARE: BareFfmpeg = { path: FFMPEG, input: 'wav' };
const INPUTS = {
  wav: { options: ['-f', 'wav', '-ignore_length', '1', '-max_size', '4096'], header: STREAMING_WAV_HEADER },
  raw: { options: ['-f', 's16le', '-ar', '48000', '-ac', '2'], header: Buffer.alloc(0) },
  // Of packets as long as an AAC frame.
  caf: { options: ['-f', 'caf'], header: cafHeader(DEFAULT_FORMAT, 1024) },
} as const;

/** What both have FFmpeg do: read one AAC frame at a time, and encode it at once. */
function encode({ input }: BareFfmpeg): string[] {
  return [
    ...QUIET.filter((arg) => arg !== '-nostdin'),
    ...['-probesize', '32', '-analyzeduration', '0', ...INPUTS[input].options, '-i', 'pipe:0'],
    ...['-c:a', 'aac', '-b:a', '128k', '-flush_packets', '1', '-flvflags', 'no_duration_filesize'],
  ];
}

/** What comes before the audio that counts: sends what it likes, and resolves when that audio may begin. */
export type WarmUp = (send: (chunk: Buffer) => void) => Promise<void>;

/**
 * FFmpeg and a media server, with no relay before them: PCM on FFmpeg's standard input, published to an RTMP URL. Who
 * listens there is the caller's matter. `-tcp_nodelay` saves 40 ms on each round trip.
 */
export async function publishByHand(
  pcm: Buffer,
  pacing: Pacing,
  rtmpUrl: string,
  warmUp?: WarmUp,
  ffmpeg = DEFAULT_BARE,
): Promise<Send[]> {
  const child = spawn(ffmpeg.path, [...encode(ffmpeg), '-tcp_nodelay', '1', '-f', 'flv', rtmpUrl], {
    stdio: ['pipe', 'ignore', 'inherit'],
  });
  child.stdin.on('error', () => undefined);
  const closed = new Promise<void>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', () => resolve());
  });
  child.stdin.write(INPUTS[ffmpeg.input].header);
  const send = (chunk: Buffer): void => void child.stdin.write(chunk);
  await warmUp?.(send);
  const sends = await paced(pcm, pacing, send);
  child.stdin.end();
  await closed;
  return sends;
}

/** FFmpeg alone: PCM on its standard input, FLV on its standard output, nothing in between. The floor. */
export async function listenToBareFfmpeg(
  pcm: Buffer,
  pacing: Pacing,
  warmUp?: WarmUp,
  ffmpeg = DEFAULT_BARE,
): Promise<{ heard: HeardFrame[]; sends: Send[] }> {
  const child = spawn(ffmpeg.path, [...encode(ffmpeg), '-f', 'flv', 'pipe:1'], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const heard: HeardFrame[] = [];
  const parser = new FlvParser({
    onTag: (tag) => {
      if (tag.type !== 8 || isAacConfig(tag.body)) return;
      const atMs = performance.now();
      heard.push({ aac: Buffer.from(aacFrame(tag.body)), timestampMs: tag.timestampMs, atMs });
    },
  });
  child.stdout.on('data', (bytes: Buffer) => parser.push(bytes));
  const closed = new Promise<void>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) =>
      code === 0 ? resolve() : reject(new Error(`bare FFmpeg ended with ${code}`)),
    );
  });
  closed.catch(() => undefined);
  // One that died says so by its exit code.
  child.stdin.on('error', () => undefined);
  child.stdin.write(INPUTS[ffmpeg.input].header);
  const send = (chunk: Buffer): void => void child.stdin.write(chunk);
  await warmUp?.(send);
  const sends = await paced(pcm, pacing, send);
  child.stdin.end();
  await closed;
  return { heard, sends };
}
