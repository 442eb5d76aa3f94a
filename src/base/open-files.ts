import { readFileSync } from 'node:fs';

/** Descriptors that this process may have; without a bound where nobody tells (elsewhere than on Linux). */
export function openFilesLimit(): number {
  try {
    const [, soft] = /^Max open files\s+(\d+)/m.exec(readFileSync('/proc/self/limits', 'latin1')) ?? [];
    return soft === undefined ? Infinity : Number(soft);
  } catch {
    return Infinity;
  }
}
