import { outputOf } from './run-program';

/** The FFmpeg that tests run by hand, and that daemons under test are told to run: the encodes are compared. */
export const FFMPEG = process.env['FFMPEG_PATH'] || 'ffmpeg';

/** What a hand-run FFmpeg is told first: no banner, no terminal, errors only. */
export const QUIET = ['-hide_banner', '-nostdin', '-loglevel', 'error'] as const;

/**
 * Decodes what a listener received to s16le stereo at 48 kHz.
 * @param demuxer what `received` is: `aac` (ADTS), `flv` or `mpegts`
 */
export async function decode(received: Buffer, demuxer: string): Promise<Int16Array> {
  const pcm = await outputOf(
    FFMPEG,
    [...QUIET, '-f', demuxer, '-i', 'pipe:0', '-f', 's16le', '-ar', '48000', '-ac', '2', 'pipe:1'],
    { input: received },
  );
  return new Int16Array(pcm.buffer.slice(pcm.byteOffset, pcm.byteOffset + (pcm.length & ~3)));
}
