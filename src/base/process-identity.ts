import { readFileSync } from 'node:fs';
import { readProcessUsage } from './process-usage';

/** One process among all that ever had its id. What the system does not tell is empty. */
export interface ProcessIdentity {
  readonly pid: number;
  /** When it was started, in ticks since the machine's start. */
  readonly startTicks: string;
  /** Of the machine's start: another one, and no process of before is there. */
  readonly bootId: string;
}

/** This process. */
export function ownIdentity(): ProcessIdentity {
  return { pid: process.pid, startTicks: readProcessUsage('self')?.startTicks ?? '', bootId: bootId() };
}

/** Whether this very process still runs. Elsewhere than on Linux it is never known to. */
export function isRunning({ pid, startTicks, bootId: itsBootId }: ProcessIdentity): boolean {
  return startTicks !== '' && itsBootId === bootId() && readProcessUsage(pid)?.startTicks === startTicks;
}

function bootId(): string {
  try {
    return readFileSync('/proc/sys/kernel/random/boot_id', 'latin1').trim();
  } catch {
    return '';
  }
}
