import { readFileSync } from 'node:fs';

/** Seconds that all cores together have spent since the machine started. */
export interface MachineSeconds {
  readonly all: number;
  readonly idle: number;
  /** Wanted, and given to others by the host that this machine is a guest of. */
  readonly stolen: number;
}

/** Ticks of 10 ms, whatever the kernel runs at (`USER_HZ` in proc(5)). */
const TICKS_PER_SECOND = 100;

/** From `/proc/stat`. */
export function machineSeconds(stat = readFileSync('/proc/stat', 'latin1')): MachineSeconds {
  // user nice system idle iowait irq softirq steal; guest time is in user time already.
  const ticks = (/^cpu +(.*)$/m.exec(stat)?.[1] ?? '').split(' ').slice(0, 8).map(Number);
  const [, , , idle = 0, waiting = 0, , , stolen = 0] = ticks;
  return {
    all: ticks.reduce((sum, value) => sum + value, 0) / TICKS_PER_SECOND,
    idle: (idle + waiting) / TICKS_PER_SECOND,
    stolen: stolen / TICKS_PER_SECOND,
  };
}
