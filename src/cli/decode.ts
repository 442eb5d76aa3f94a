import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { OperatorError } from '../base/errors';
import { EXIT_DATA } from './exit-code';

/** Bytes of 20 ms of 48 kHz stereo s16le. */
const BLOCK_BYTES = 3_840;

export interface DecodeOptions {
  /** The FFmpeg to run. */
  readonly ffmpeg: string;
  /** A file, a URL that FFmpeg reads, or `-` for standard input. */
  readonly input: string;
  /** What the bytes of the input are, where they are bare PCM: FFmpeg cannot guess that. */
  readonly raw?: { readonly sampleFormat: string; readonly sampleRate: number; readonly channels: number };
  /** Begin again at the end, for ever. Files only. */
  readonly loop?: boolean;
  /** Ends FFmpeg, and with it a read that waits for more. */
  readonly signal?: AbortSignal;
}

/**
 * Reads anything that FFmpeg reads as 48 kHz stereo s16le, in blocks of 20 ms (the last may be shorter). FFmpeg runs
 * no further ahead than its pipe holds; leaving the loop ends it.
 * @throws {OperatorError} exit code 65, where the input is not there or is not audio
 */
export async function* decode(options: DecodeOptions): AsyncGenerator<Buffer, void, undefined> {
  const child = spawn(options.ffmpeg, decodeArguments(options), {
    stdio: [options.input === '-' ? 'inherit' : 'ignore', 'pipe', 'pipe'],
  });
  let said = '';
  child.stderr.on('data', (bytes: Buffer) => (said = (said + bytes.toString()).slice(-2_000)));
  const ended = new Promise<number | null>((resolve, reject) => {
    child.once('error', (error) => reject(new OperatorError(`FFmpeg cannot be run: ${error.message}`, 69)));
    child.once('close', (code) => resolve(code));
  });
  ended.catch(() => undefined);
  const kill = (): void => void child.kill('SIGKILL');
  options.signal?.addEventListener('abort', kill);
  try {
    let rest: Buffer = Buffer.alloc(0);
    for await (const bytes of child.stdout as AsyncIterable<Buffer>) {
      rest = rest.length > 0 ? Buffer.concat([rest, bytes]) : bytes;
      let at = 0;
      for (; at + BLOCK_BYTES <= rest.length; at += BLOCK_BYTES) yield rest.subarray(at, at + BLOCK_BYTES);
      rest = rest.subarray(at);
    }
    if (rest.length >= 4) yield rest.subarray(0, rest.length & ~3);
    const exitCode = await ended;
    if (exitCode !== 0 && !options.signal?.aborted)
      throw new OperatorError(`${name(options.input)} cannot be read: ${lastLine(said)}`, EXIT_DATA);
  } finally {
    options.signal?.removeEventListener('abort', kill);
    if (child.exitCode === null && child.signalCode === null) kill();
    await ended.catch(() => undefined);
  }
}

/** @throws {OperatorError} exit code 65, where the file is not there */
export function decodeArguments({ input, raw, loop }: DecodeOptions): string[] {
  const known = raw ? ['-f', raw.sampleFormat, '-ar', `${raw.sampleRate}`, '-ac', `${raw.channels}`] : [];
  const output = ['-map', '0:a:0', '-f', 's16le', '-ar', '48000', '-ac', '2', 'pipe:1'];
  return [
    ...['-hide_banner', '-nostdin', '-loglevel', 'error'],
    ...(loop ? ['-stream_loop', '-1'] : []),
    ...known,
    ...['-i', source(input)],
    ...output,
  ];
}

function source(input: string): string {
  if (input === '-') return 'pipe:0';
  // With its protocol said, a file may have any name, such as one that begins with a hyphen.
  if (existsSync(input)) return `file:${input}`;
  if (/^[a-z][a-z0-9+.-]*:\/\//i.test(input)) return input;
  throw new OperatorError(`${input}: there is no such file`, EXIT_DATA);
}

function name(input: string): string {
  return input === '-' ? 'Standard input' : input;
}

function lastLine(text: string): string {
  return text.trim().split('\n').at(-1) || 'FFmpeg gave no reason';
}
