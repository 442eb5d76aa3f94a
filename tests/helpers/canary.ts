import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { performance } from 'node:perf_hooks';

/** A stretch of time in which somebody who wanted to run could not, on the clock of `performance.now()`. */
export interface Stall {
  readonly fromMs: number;
  readonly untilMs: number;
}

/** One for each core of the smallest machine that tests run on. */
const PROCESSES = 2;
const PERIOD_MS = 10;
/** What timers are late by on a machine that does nothing else. */
const LATE_MS = 4;

/**
 * Tells what the machine did to everybody, so that a test of real time can judge the relay for the rest: processes
 * that do nothing but want to run every 10 ms, and a timer in the test's own process, which may be as busy. Where they
 * could not run, the relay could not either; a relay that stalls by itself does not make them late.
 */
export class Canary {
  readonly #children: ChildProcess[];
  /** By each process, this one last. */
  readonly #seenBy: Stall[][] = Array.from({ length: PROCESSES + 1 }, () => []);
  readonly #startMs = performance.now();
  #timer: NodeJS.Timeout | undefined;
  #dueMs = 0;

  private constructor(children: ChildProcess[]) {
    this.#children = children;
    this.#watchOwn();
  }

  /** Resolves when all look. */
  static async start(): Promise<Canary> {
    const program = path.resolve(__dirname, '../fixtures/canary.js');
    const children = Array.from({ length: PROCESSES }, () => fork(program, [], { execArgv: [] }));
    await Promise.all(children.map((child) => once(child, 'message')));
    return new Canary(children);
  }

  /** Asks the processes what they saw; until then, `stalls` knows of this process only. */
  async look(): Promise<this> {
    this.#noteOwn();
    // Their clock is that of the system; ours counts from the start of this process.
    const offsetMs = Number(process.hrtime.bigint()) / 1e6 - performance.now();
    await Promise.all(
      this.#children.map(async (child, index) => {
        const answer = once(child, 'message');
        child.send('look');
        for (const [dueMs, ranMs] of (await answer)[0] as [number, number][])
          this.#seenBy[index]?.push({ fromMs: dueMs - offsetMs, untilMs: ranMs - offsetMs });
      }),
    );
    return this;
  }

  /** Milliseconds between two moments in which not everybody could run. */
  stalledMs(fromMs: number, untilMs: number): number {
    return coveredMs(this.#seenBy.flat(), fromMs, untilMs);
  }

  /** The longest stall that touches this span. */
  worstStallMs(fromMs: number, untilMs: number): number {
    const touching = this.#seenBy.flat().filter((stall) => stall.untilMs > fromMs && stall.fromMs < untilMs);
    return Math.max(0, ...touching.map((stall) => stall.untilMs - stall.fromMs));
  }

  /**
   * What a process that does nothing is late by: the value below which a share `p` of its looks at the clock in this
   * span lies, as far as that is worth telling (0 where it is not).
   */
  latenessMs(fromMs: number, untilMs: number, p: number): number {
    // What each process saw counts for itself, as if it were the only one: the worst of them is the measure.
    const looks = (untilMs - fromMs) / PERIOD_MS;
    const allowed = Math.floor(looks * (1 - p));
    return Math.max(
      ...this.#seenBy.slice(0, PROCESSES).map((seen) => {
        const late = seen
          .filter((stall) => stall.fromMs >= fromMs && stall.untilMs <= untilMs)
          .map((stall) => stall.untilMs - stall.fromMs)
          .sort((a, b) => b - a);
        return late[allowed] ?? 0;
      }),
    );
  }

  /** The seconds, as whole numbers on the clock of `performance.now()`, in which anybody had to wait for longer. */
  disturbedSeconds(longerThanMs: number): Set<number> {
    const seconds = new Set<number>();
    for (const { fromMs, untilMs } of this.#seenBy.flat()) {
      if (untilMs - fromMs <= longerThanMs) continue;
      for (let at = Math.floor(fromMs / 1_000); at <= Math.floor(untilMs / 1_000); at += 1) seconds.add(at);
    }
    return seconds;
  }

  /** How long something took that the machine did not take. */
  netMs(fromMs: number, untilMs: number): number {
    return untilMs - fromMs - this.stalledMs(fromMs, untilMs);
  }

  /** `the machine stalled for 1.2 of 30.0 s, 94 ms at worst`: for what a test prints. */
  get summary(): string {
    const nowMs = performance.now();
    const [stalled, all] = [this.stalledMs(this.#startMs, nowMs), nowMs - this.#startMs];
    const worst = this.worstStallMs(this.#startMs, nowMs);
    return `the machine stalled for ${(stalled / 1000).toFixed(1)} of ${(all / 1000).toFixed(1)} s, ${worst.toFixed(0)} ms at worst`;
  }

  /** Looks a last time, and ends the processes. What was seen stays. */
  async stop(): Promise<void> {
    clearTimeout(this.#timer);
    await this.look();
    await Promise.all(
      this.#children.map(async (child) => {
        const exited = once(child, 'exit');
        child.disconnect();
        await exited;
      }),
    );
  }

  #watchOwn(): void {
    this.#dueMs = performance.now() + PERIOD_MS;
    this.#timer = setTimeout(() => {
      this.#noteOwn();
      this.#watchOwn();
    }, PERIOD_MS);
  }

  #noteOwn(): void {
    const ranMs = performance.now();
    if (ranMs - this.#dueMs > LATE_MS) this.#seenBy[PROCESSES]?.push({ fromMs: this.#dueMs, untilMs: ranMs });
    this.#dueMs = ranMs + PERIOD_MS;
  }
}

/** How much of a span the stalls cover; where several do, it counts once. */
export function coveredMs(stalls: readonly Stall[], fromMs: number, untilMs: number): number {
  const touching = stalls.filter((stall) => stall.untilMs > fromMs && stall.fromMs < untilMs);
  let covered = 0;
  let atMs = fromMs;
  for (const stall of touching.sort((a, b) => a.fromMs - b.fromMs)) {
    const begin = Math.max(atMs, stall.fromMs);
    const end = Math.min(untilMs, stall.untilMs);
    if (end <= begin) continue;
    covered += end - begin;
    atMs = end;
  }
  return covered;
}

/**
 * Says what a test could not judge, where nobody can overlook it: on a machine that is too busy for a statement about
 * time, a red test would accuse the relay, and a green one would praise it.
 */
export function notJudged(what: string, why: string): void {
  console.warn(`NOT JUDGED: ${what}: ${why}`);
}
