import { accessSync, chmodSync, constants, statSync } from 'node:fs';
import path from 'node:path';
import { EXIT_CONFIG, EXIT_UNAVAILABLE, OperatorError } from '../base/errors';
import { capture } from './spawn';

/** An FFmpeg that was asked and can do the work. */
export interface FfmpegInfo {
  /** Absolute, or as it was configured. */
  readonly path: string;
  /** As it calls itself, e.g. `5.1.9-0+deb12u1`; builds from a source tree call themselves `N-47683-g0e8eb07980`. */
  readonly version: string;
  /** 4 or more. */
  readonly major: number;
  /** Whether PCM goes in as Core Audio Format; see `command.ts`. */
  readonly readsCaf: boolean;
}

type Environment = Readonly<Record<string, string>>;

const OLDEST_MAJOR = 4;
/** libavcodec 58 came with FFmpeg 4.0, 59 with 5.0, 60 with 6.0, and so on: the only number that every build tells. */
const AVCODEC_BEFORE_MAJOR = 54;
/** 4.1 reads nothing from a CAF of unknown length; 5.1 and 7.0 do. */
const OLDEST_CAF_MAJOR = 5;

/**
 * Which FFmpeg to run: the configured one, else `ffmpeg` on the PATH of `environment`, else the one that the npm
 * package `@ffmpeg-installer/ffmpeg` brings for this platform.
 * @param packaged stands in for the package, in tests
 * @throws {OperatorError} where there is none
 */
export function findFfmpeg(
  configured: string | undefined,
  environment: Environment,
  packaged: () => string = packagedFfmpeg,
): string {
  if (configured !== undefined) {
    const found = configured.includes(path.sep) ? configured : onPath(configured, environment);
    if (found !== undefined && isExecutable(found)) return found;
    throw new OperatorError(`FFMPEG_PATH names no program that can be run: ${configured}`, EXIT_CONFIG);
  }
  const system = onPath(process.platform === 'win32' ? 'ffmpeg.exe' : 'ffmpeg', environment);
  if (system !== undefined) return system;
  let found: string;
  try {
    found = packaged();
    // The package's own install script does this, but install scripts may be switched off.
    if (!isExecutable(found)) chmodSync(found, 0o755);
  } catch (error) {
    throw new OperatorError(
      `No FFmpeg: none on the PATH and none packaged for ${process.platform}-${process.arch} (${reasonOf(error)}); ` +
        'install FFmpeg 4 or newer, or set FFMPEG_PATH',
      EXIT_UNAVAILABLE,
    );
  }
  return found;
}

/**
 * Asks an FFmpeg what it is and what it can do. About 150 ms; once a daemon.
 * @throws {OperatorError} one line: it cannot be run, is older than 4, or lacks the AAC encoder, FLV or RTMP
 */
export async function probeFfmpeg(ffmpegPath: string, environment: Environment): Promise<FfmpegInfo> {
  const ask = async (...args: string[]): Promise<string> => {
    const { stdout, error } = await capture(ffmpegPath, ['-hide_banner', ...args], environment);
    if (error) throw new OperatorError(`FFmpeg cannot be run: ${oneLine(error.message)}`, EXIT_UNAVAILABLE);
    return stdout;
  };
  const about = await ask('-version');
  const version = /^ffmpeg version (\S+)/m.exec(about)?.[1];
  const avcodec = /^libavcodec\s+(\d+)\./m.exec(about)?.[1];
  if (version === undefined || avcodec === undefined)
    throw new OperatorError(`This is no FFmpeg: ${ffmpegPath}`, EXIT_UNAVAILABLE);
  const major = Number(avcodec) - AVCODEC_BEFORE_MAJOR;
  if (major < OLDEST_MAJOR)
    throw new OperatorError(
      `FFmpeg ${version} (${ffmpegPath}) is too old: 4 or newer is needed`,
      EXIT_UNAVAILABLE,
    );

  const [encoders, formats, protocols] = await Promise.all([
    ask('-encoders'),
    ask('-formats'),
    ask('-protocols'),
  ]);
  const missing = [
    /^ A\S* +aac /m.test(encoders) ? [] : ['the AAC encoder'],
    /^ *D?E +flv /m.test(formats) ? [] : ['the FLV format'],
    /^Output:[^]*^ *rtmp$/m.test(protocols) ? [] : ['the RTMP protocol'],
  ].flat();
  if (missing.length > 0)
    throw new OperatorError(
      `FFmpeg ${version} (${ffmpegPath}) was built without ${missing.join(' and ')}`,
      EXIT_UNAVAILABLE,
    );
  const readsCaf = major >= OLDEST_CAF_MAJOR && /^ *DE? +caf /m.test(formats);
  return { path: ffmpegPath, version, major, readsCaf };
}

/** @throws what the package throws (a string) where it has nothing for this platform */
function packagedFfmpeg(): string {
  // Not at the top: the package throws while it loads where the platform is not among its own.
  // eslint-disable-next-line @typescript-eslint/no-require-imports -- it has no other face than CommonJS
  return (require('@ffmpeg-installer/ffmpeg') as { path: string }).path;
}

function onPath(program: string, environment: Environment): string | undefined {
  return (environment['PATH'] ?? '')
    .split(path.delimiter)
    .filter((directory) => path.isAbsolute(directory))
    .map((directory) => path.join(directory, program))
    .find(isExecutable);
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return statSync(file).isFile();
  } catch {
    return false;
  }
}

function reasonOf(error: unknown): string {
  return oneLine(error instanceof Error ? error.message : String(error));
}

function oneLine(text: string): string {
  return (text.split('\n', 1)[0] ?? '').slice(0, 200);
}
