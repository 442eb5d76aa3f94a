import path from 'node:path';
import type { FfmpegTools } from '../../src/media-server/srs/ffmpeg-child';
import { FFMPEG } from './ffmpeg';

/** A fixture FFmpeg, `tests/fixtures/ffmpeg-NAME.js`, or the real one where no name is given. */
export function ffmpegTools(name?: string): FfmpegTools {
  return {
    path: name === undefined ? FFMPEG : path.resolve(__dirname, `../fixtures/ffmpeg-${name}.js`),
    leash: [],
    environment: { PATH: process.env['PATH'] ?? '', LC_ALL: 'C' },
  };
}
