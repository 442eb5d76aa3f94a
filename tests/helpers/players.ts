import { accessSync, chmodSync, constants, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { runProgram } from './run-program';

/** Where a Debian system gets a program that a test needs. */
const DEBIAN_PACKAGES: Readonly<Record<string, string>> = {
  ffprobe: 'ffmpeg',
  mpv: 'mpv',
  cvlc: 'vlc-bin vlc-plugin-base',
};
/** VLC refuses to run as root; this account owns nothing. */
const NOBODY = '65534';
const WAV_HEADER_BYTES = 44;

/** Whether a program is on the search path. */
export function isInstalled(program: string): boolean {
  return (process.env['PATH'] ?? '').split(path.delimiter).some((directory) => {
    try {
      accessSync(path.join(directory, program), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

/**
 * `it` for a test that needs a program of the system. Where it is missing, the test is skipped under a name that
 * says so, and with `CI=true` it fails: a suite that quietly proves less is worse than a red one.
 */
export function itNeeds(
  program: string,
): (name: string, test: () => Promise<void>, timeoutMs?: number) => void {
  return (name, test, timeoutMs) => {
    const missing = `${program} is missing (apt-get install ${DEBIAN_PACKAGES[program] ?? program})`;
    if (isInstalled(program)) it(name, test, timeoutMs);
    else if (process.env['CI'] === 'true') it(name, () => Promise.reject(new Error(missing)));
    else it.skip(`${name} [SKIPPED: ${missing}]`, test);
  };
}

export interface ProbedStream {
  readonly codec_type: string;
  readonly codec_name: string;
  readonly profile: string;
  readonly sample_rate: string;
  readonly channels: number;
}

/** What ffprobe says about the streams at a URL. */
export async function probe(url: string): Promise<ProbedStream[]> {
  const args = ['-v', 'error', '-show_streams', '-of', 'json', '-i', url];
  const result = await runProgram('ffprobe', args);
  if (result.exitCode !== 0) throw new Error(`ffprobe ${url}: ${result.exitCode}; ${result.stderr}`);
  return (JSON.parse(result.stdout.toString()) as { streams: ProbedStream[] }).streams;
}

/** What a player made of a stream: its sound, decoded, as s16 values of all channels. */
export interface Played {
  readonly sampleRate: number;
  readonly channels: number;
  readonly seconds: number;
  /** The loudest value, from 0 to 1. */
  readonly peak: number;
  readonly said: string;
}

/** Plays about `seconds` of a URL with mpv, into a file instead of a loudspeaker. */
export async function playWithMpv(url: string, seconds: number): Promise<Played> {
  return intoFile('mpv', (file) => [
    'mpv',
    ...['--no-config', '--no-video', '--no-terminal', '--msg-level=all=warn', '--terminal=yes'],
    ...['--ao=pcm', `--ao-pcm-file=${file}`, '--audio-format=s16', `--length=${seconds}`, url],
  ]);
}

/**
 * Plays `seconds` of a URL with VLC, into a file, under another account where this one is root. It is told to stop once
 * it has played that much: its `--run-time` counts from the start of an HLS window, wherever in it it begins to play.
 */
export async function playWithVlc(url: string, seconds: number): Promise<Played> {
  const asNobody = ['setpriv', `--reuid=${NOBODY}`, `--regid=${NOBODY}`, '--clear-groups', '--'];
  const enough = WAV_HEADER_BYTES + seconds * 48_000 * 4;
  return intoFile(
    'vlc',
    (file) => [
      ...(process.getuid?.() === 0 ? asNobody : []),
      ...['cvlc', '--no-video', '--aout=afile', `--audiofile-file=${file}`, '--audiofile-format=s16', url],
    ],
    (file) => (statSync(file, { throwIfNoEntry: false })?.size ?? 0) >= enough,
  );
}

async function intoFile(
  name: string,
  commandFor: (file: string) => string[],
  stopWhen?: (file: string) => boolean,
): Promise<Played> {
  const directory = mkdtempSync(path.join(os.tmpdir(), `vibesflow-${name}-`));
  try {
    chmodSync(directory, 0o777);
    const file = path.join(directory, 'played.wav');
    const [program, ...args] = commandFor(file) as [string, ...string[]];
    const result = await runProgram(program, args, {
      env: { PATH: process.env['PATH'], HOME: directory, XDG_RUNTIME_DIR: directory },
      stopWhen: stopWhen && (() => stopWhen(file)),
    });
    const said = `${result.stdout.toString()}${result.stderr}`;
    if (result.exitCode !== 0) throw new Error(`${name} ended with ${result.exitCode}; it said:\n${said}`);
    return { ...readWav(readFileSync(file)), said };
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

/** Reads what the players wrote: RIFF/WAVE, 16 bits, with a length field that a live stream may leave wrong. */
function readWav(wav: Buffer): Omit<Played, 'said'> {
  const channels = wav.readUInt16LE(22);
  const sampleRate = wav.readUInt32LE(24);
  const data = wav.indexOf('data', 12, 'latin1');
  if (wav.toString('latin1', 0, 4) !== 'RIFF' || data === -1) throw new Error('the player wrote no WAV');
  let peak = 0;
  for (let at = data + 8; at + 1 < wav.length; at += 2) peak = Math.max(peak, Math.abs(wav.readInt16LE(at)));
  const values = Math.floor((wav.length - data - 8) / 2);
  return { sampleRate, channels, seconds: values / channels / sampleRate, peak: peak / 32_768 };
}
