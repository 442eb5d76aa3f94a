import { DEFAULT_FORMAT, type PcmFormat } from '../../src/audio/pcm';
import { splitAdts } from './adts';
import { FFMPEG, QUIET } from './ffmpeg';
import { outputOf } from './run-program';

/** At the end of a stream padding differs, and the encoder looks ahead: the last two frames prove nothing. */
const TAIL_FRAMES = 2;

/**
 * What the daemon's FFmpeg makes of this audio, made without the daemon: raw AAC frames. The encoder is
 * deterministic, so the frames of a stream from which nothing is missing are equal, byte for byte.
 */
export async function encodeOffline(pcm: Buffer, format: PcmFormat = DEFAULT_FORMAT): Promise<Buffer[]> {
  const input = ['-f', format.sampleFormat, '-ar', String(format.sampleRate), '-ac', String(format.channels)];
  const output = ['-c:a', 'aac', '-b:a', '128k', '-ar', '48000', '-ac', '2', '-f', 'adts', 'pipe:1'];
  return splitAdts(await outputOf(FFMPEG, [...QUIET, ...input, '-i', 'pipe:0', ...output], { input: pcm }));
}

export interface Comparison {
  /** Index in the reference of the first frame heard. */
  readonly firstFrame: number;
  /** Frames that were heard and are equal. */
  readonly equalFrames: number;
}

/**
 * Holds what a listener heard against the offline encode: from the first frame heard on, each must be equal, to the
 * end of the reference, but for its last two frames.
 * @param tailFrames frames of silence that may follow, where the media server is fed a tail
 * @throws {Error} that names the first difference
 */
export function expectSameFrames(
  heard: readonly Buffer[],
  reference: readonly Buffer[],
  tailFrames = 0,
): Comparison {
  const firstFrame = findRun(heard, reference);
  if (firstFrame === -1)
    throw new Error(`the first of ${heard.length} frames heard is none of the ${reference.length} expected`);
  const wanted = reference.length - TAIL_FRAMES - firstFrame;
  let equalFrames = 0;
  while (equalFrames < heard.length && same(heard[equalFrames], reference[firstFrame + equalFrames]))
    equalFrames += 1;
  if (equalFrames >= wanted) return checkedTail(heard, reference, { firstFrame, equalFrames }, tailFrames);

  const at = firstFrame + equalFrames;
  const ms = Math.round((at * 1024) / 48);
  if (equalFrames === heard.length)
    throw new Error(
      `heard frames ${firstFrame} to ${at - 1} of ${reference.length}, all equal, and then no more (${ms} ms)`,
    );
  throw new Error(
    `frame ${at} of ${reference.length} (${ms} ms) differs, the ${equalFrames + 1}th heard of ${heard.length}: ` +
      whereIs(heard, equalFrames, reference),
  );
}

function checkedTail(
  heard: readonly Buffer[],
  reference: readonly Buffer[],
  comparison: Comparison,
  tailFrames: number,
): Comparison {
  const most = reference.length - comparison.firstFrame + TAIL_FRAMES + tailFrames;
  if (heard.length > most)
    throw new Error(
      `${heard.length - most} frames more than expected at the end (${heard.length}, reference ${reference.length})`,
    );
  return comparison;
}

/** Where in `reference` the first frames heard stand. Three in a row, because single quiet frames repeat. */
function findRun(heard: readonly Buffer[], reference: readonly Buffer[], from = 0, to = 0): number {
  const run = Math.min(3, heard.length - from);
  if (run <= 0) return -1;
  for (let at = to; at + run <= reference.length; at += 1) {
    let equal = 0;
    while (equal < run && same(heard[from + equal], reference[at + equal])) equal += 1;
    if (equal === run) return at;
  }
  return -1;
}

/** Says how the stream goes on after a difference: something was lost, inserted, or all is different. */
function whereIs(heard: readonly Buffer[], from: number, reference: readonly Buffer[]): string {
  for (let at = from; at < heard.length; at += 1) {
    const found = findRun(heard, reference, at);
    if (found !== -1) return `equal again from heard frame ${at} = expected frame ${found}`;
  }
  return 'nothing after it is equal';
}

function same(a: Buffer | undefined, b: Buffer | undefined): boolean {
  return a !== undefined && b !== undefined && a.equals(b);
}
