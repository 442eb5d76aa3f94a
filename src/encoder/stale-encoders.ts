import { readFileSync } from 'node:fs';
import { readProcessUsage } from '../base/process-usage';

/** An FFmpeg that was started for a vibe. */
export interface KnownEncoder {
  readonly vibeId: string;
  readonly pid: number;
  /** Tells it from a later process with the same id; see `readProcessUsage`. */
  readonly startTicks: string;
}

/**
 * Ends the FFmpegs of a daemon that is gone. They mostly went with it (see `findLeash`); one that is blocked on its
 * output, on a machine without the leash, would publish into the vibe of its successor. A process is only ended that has
 * the id, the start time and the publish URL that it must have. Elsewhere than on Linux none is found.
 * @returns those that were there
 */
export function endStaleEncoders(known: Iterable<KnownEncoder>): KnownEncoder[] {
  return [...known].filter((encoder) => isStillThere(encoder) && kill(encoder.pid));
}

function isStillThere({ vibeId, pid, startTicks }: KnownEncoder): boolean {
  const { startTicks: ticks } = readProcessUsage(pid) ?? {};
  if (ticks === undefined || ticks !== startTicks) return false;
  return argumentsOf(pid).some((arg) => arg.startsWith('rtmp') && arg.includes(`/${vibeId}?token=`));
}

/** SIGKILL: what it still holds is of a stream that its listeners have lost already. */
function kill(pid: number): boolean {
  try {
    return process.kill(pid, 'SIGKILL');
  } catch {
    return false;
  }
}

function argumentsOf(pid: number): string[] {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
  } catch {
    return [];
  }
}
