import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { performance } from 'node:perf_hooks';
import { delay } from '../../tests/helpers/eventually';
import { descendants, isAlive, type ProcessEntry } from '../../tests/helpers/processes';

/** A daemon that is told to end plays out what it holds, 10 s at most. */
const ENDS_WITHIN_MS = 12_000;
const SIGNALS = { SIGHUP: 1, SIGINT: 2, SIGTERM: 15 } as const;

/**
 * Sees to it that a benchmark leaves nothing behind, however it ends: its temporary files, and those of what it starts, lie
 * in one directory, which goes with this process; and before Ctrl-C, SIGTERM or an error that nobody caught ends it, every
 * process ends that it has started.
 */
export function keepHouse(): void {
  const home = mkdtempSync(path.join(os.tmpdir(), 'vibesflow-bench-'));
  process.env['TMPDIR'] = home;
  process.once('exit', () => rmSync(home, { recursive: true, force: true }));
  let isLeaving = false;
  const leave = (exitCode: number): void => {
    if (isLeaving) return;
    isLeaving = true;
    // What a benchmark complains of when its daemon goes is no news.
    console.error = () => undefined;
    console.log = () => undefined;
    void endChildren().finally(() => process.exit(exitCode));
  };
  process.on('uncaughtException', (error) => {
    console.error(error);
    leave(1);
  });
  for (const [signal, number] of Object.entries(SIGNALS)) {
    process.on(signal, () => leave(128 + number));
  }
}

/**
 * Asks all processes below this one to end, those that come up meanwhile too; kills what does not.
 * @returns those there were
 */
export async function endChildren(): Promise<ProcessEntry[]> {
  const asked = new Map<string, ProcessEntry>();
  const untilMs = performance.now() + ENDS_WITHIN_MS;
  for (;;) {
    const isLate = performance.now() > untilMs;
    for (const entry of descendants(process.pid).filter(isAlive)) {
      const key = `${entry.pid} ${entry.startTicks}`;
      if (!asked.has(key)) send(entry, 'SIGTERM');
      asked.set(key, entry);
    }
    const left = [...asked.values()].filter(isAlive);
    if (isLate) for (const entry of left) send(entry, 'SIGKILL');
    if (isLate || left.length === 0) return [...asked.values()];
    await delay(20);
  }
}

function send({ pid }: ProcessEntry, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // It has ended by itself.
  }
}
