import { findFfmpeg } from '../encoder/ffmpeg-path';

/**
 * The FFmpeg that a command runs: the one it was told, else `FFMPEG_PATH`, else the system's, else the packaged one.
 * @throws {OperatorError} where there is none
 */
export function commandFfmpeg(
  told: string | undefined,
  env: Readonly<Record<string, string | undefined>>,
): string {
  return findFfmpeg(told || env['FFMPEG_PATH'] || undefined, { PATH: env['PATH'] ?? '' });
}
