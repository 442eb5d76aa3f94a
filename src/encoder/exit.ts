/** What this side asked of the process, if anything: the first thing asked is kept. */
export type Asked = 'nothing' | 'end' | 'close' | 'stalled';

/** How a process ended. */
export interface ProcessEnd {
  readonly exitCode: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly asked: Asked;
  /** Whether a signal had to be sent after it did not end when asked. */
  readonly forced: boolean;
  /** There never was a process. */
  readonly spawnFailed: boolean;
  /** It was started through `setpriv`, which says 126 or 127 where the program cannot be run. */
  readonly leashed: boolean;
}

/**
 * - `ended`: the end was asked for, and FFmpeg published everything
 * - `cut-short`: the end was asked for, and FFmpeg did not get done in time
 * - `stopped`: stopping at once was asked for
 * - `stalled`: it was fed and nothing came out; killed for it
 * - `spawn-failed`: it could not be started
 * - `output-failed`: FFmpeg gave up; its input never fails, so it was the output
 * - `quit`: FFmpeg ended as if all were done, unasked
 * - `killed`: somebody else ended it with a signal
 * - `crashed`: it was ended by a fault of its own
 */
export const EXIT_REASONS = [
  'ended',
  'cut-short',
  'stopped',
  'stalled',
  'spawn-failed',
  'output-failed',
  'quit',
  'killed',
  'crashed',
] as const;
export type ExitReason = (typeof EXIT_REASONS)[number];

const SENT_FROM_OUTSIDE: readonly string[] = ['SIGKILL', 'SIGTERM', 'SIGINT', 'SIGHUP', 'SIGQUIT'];
/** FFmpeg's own exit code after SIGTERM and SIGINT. */
const EXIT_AFTER_SIGNAL = 255;

/** Why a process ended, in one word. */
export function exitReason(end: ProcessEnd): ExitReason {
  const { exitCode, signal, asked } = end;
  if (end.spawnFailed) return 'spawn-failed';
  if (asked === 'stalled') return 'stalled';
  if (asked === 'close') return 'stopped';
  if (asked === 'end' && exitCode === 0) return 'ended';
  if (asked === 'end' && end.forced) return 'cut-short';
  if (signal !== null) return SENT_FROM_OUTSIDE.includes(signal) ? 'killed' : 'crashed';
  if (end.leashed && (exitCode === 126 || exitCode === 127)) return 'spawn-failed';
  if (exitCode === EXIT_AFTER_SIGNAL) return 'killed';
  return exitCode === 0 ? 'quit' : 'output-failed';
}
