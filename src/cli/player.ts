import { spawn } from 'node:child_process';
import { EXIT_UNAVAILABLE, OperatorError } from '../base/errors';
import type { CommandContext } from './program';
import { findProgram } from './which';

/** Players that take an HTTP-FLV URL, with what makes them start soon and without a window. */
const PLAYERS: readonly { readonly program: string; readonly args: readonly string[] }[] = [
  { program: 'ffplay', args: ['-nodisp', '-loglevel', 'warning', '-fflags', 'nobuffer'] },
  { program: 'mpv', args: ['--no-video', '--profile=low-latency'] },
  { program: 'cvlc', args: ['--play-and-exit'] },
  { program: 'vlc', args: ['--play-and-exit'] },
];

/**
 * Hands a URL to the first player that is installed, until it ends or is told to stop.
 * @throws {OperatorError} exit code 69, where there is none, or it ends in failure
 */
export async function play(url: string, signal: AbortSignal, context: CommandContext): Promise<void> {
  const [found] = PLAYERS.flatMap(({ program, args }) => {
    const file = findProgram(program, context.env['PATH']);
    return file ? [{ file, args }] : [];
  });
  if (!found)
    throw new OperatorError('No player was found: install ffplay (FFmpeg), mpv or VLC', EXIT_UNAVAILABLE);
  const child = spawn(found.file, [...found.args, url], { stdio: 'inherit' });
  const stop = (): void => void child.kill('SIGTERM');
  signal.addEventListener('abort', stop);
  if (signal.aborted) stop();
  const exitCode = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', resolve);
  });
  signal.removeEventListener('abort', stop);
  if (exitCode && !signal.aborted)
    throw new OperatorError(`${found.file} ended with exit code ${exitCode}`, EXIT_UNAVAILABLE);
}
