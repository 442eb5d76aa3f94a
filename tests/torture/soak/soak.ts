import { performance } from 'node:perf_hooks';
import { Canary } from '../../helpers/canary';
import { delay, eventually } from '../../helpers/eventually';
import type { MetricsText } from '../../helpers/metrics-text';
import { Stage, type Standing } from '../suite/stage';
import { Checks } from './checks';
import { Churn } from './churn';
import type { FaultWindow } from './explain';
import { healed, SOAK_FAULTS } from './faults';
import { type Holdings, MemoryWatch } from './memory';
import type { Plan, PlannedFault } from './plan';
import { prepareReferences } from './reference';
import { DOORS, SoakVibe } from './soak-vibe';

/** Whoever dies without a word is forgotten soon: leases and holds are over many times in a run. */
const LEASE_SECONDS = 3;
const HOLD_SECONDS = 5;
/** Memory is looked at so often; each look collects all garbage. */
const LOOK_EVERY_MS = 5_000;
/** In a short run, so many looks at least. */
const LEAST_LOOKS = 20;
const PROGRESS_EVERY_MS = 10_000;
/** Leases are looked over once a second. */
const LEASES_GONE_WITHIN_MS = (LEASE_SECONDS + 3) * 1000;

/** A fault as it was done, and when it may be heard. */
export interface Doing {
  readonly planned: PlannedFault;
  readonly target: string;
  readonly witness: string;
  /** Where it did not bite, or was not over in time. */
  readonly failure: string | undefined;
  readonly window: FaultWindow;
}

/** All that is known at the end of a soak: what its verdicts are made of. */
export interface Witnessed {
  readonly plan: Plan;
  readonly stage: Stage;
  readonly startMs: number;
  readonly endMs: number;
  readonly before: { readonly standing: Standing; readonly holdings: Held };
  readonly doings: readonly Doing[];
  readonly control: SoakVibe;
  readonly vibes: readonly SoakVibe[];
  readonly churn: Churn;
  readonly memory: MemoryWatch;
  readonly metrics: MetricsText;
  /** What went wrong and should not have, in words. */
  readonly complaints: readonly string[];
  readonly canary: Canary;
}

type Held = { readonly daemon: Holdings; readonly mediaServer: Holdings };

/** Hours in minutes: a real daemon under load, one fault after another, and a control that only some of them may touch. */
export class Soak {
  readonly #plan: Plan;
  readonly #say: (line: string) => void;
  readonly #doings: Doing[] = [];
  readonly #complaints: string[] = [];
  #steady: SoakVibe[] = [];
  #startMs = 0;

  /** @param say told of what happens, line by line */
  constructor(plan: Plan, say: (line: string) => void) {
    this.#plan = plan;
    this.#say = say;
  }

  /**
   * Runs it to its end. Whatever is still open then is closed by `close`.
   * @param judge called while the daemon is still there, when everybody has left it
   */
  async run<T>(judge: (witnessed: Witnessed) => Promise<T>): Promise<T> {
    const plan = this.#plan;
    prepareReferences();
    const checks = await Checks.start();
    const canary = await Canary.start();
    const stage = await Stage.open({
      LEASE_SECONDS: String(LEASE_SECONDS),
      HOLD_SECONDS: String(HOLD_SECONDS),
      // The load of a soak is the soak's own: who comes is let in, however busy two cores are.
      MAX_CPU_PERCENT: '100',
    });
    const memory = new MemoryWatch(stage);
    // Who ends the soak before its time ends the relay with it.
    const endDaemon = (): void => stage.daemon.signal('SIGTERM');
    process.once('exit', endDaemon);
    try {
      await memory.sample();
      const before = { holdings: await memory.holdings(), standing: await stage.standing() };
      this.#startMs = performance.now();
      this.#steady = await this.#putOnAir(stage, checks);
      const [control, ...targets] = this.#steady as [SoakVibe, ...SoakVibe[]];
      const churn = new Churn({ stage, checks, seed: plan.seed, steady: this.#steady });
      churn.start();
      memory.start(Math.min(LOOK_EVERY_MS, (plan.seconds * 1000) / LEAST_LOOKS));
      const progress = setInterval(() => this.#progress(churn), PROGRESS_EVERY_MS);
      try {
        await this.#doFaults(stage, targets);
        await this.#until(plan.seconds);
      } finally {
        clearInterval(progress);
      }
      const endMs = performance.now();
      this.#say(`${this.#clock()}  everybody leaves`);
      await churn.stop();
      await this.#leasesRunOut(stage);
      await memory.stop();
      const ends = await Promise.allSettled(this.#steady.map((vibe) => vibe.end()));
      for (const end of ends) if (end.status === 'rejected') this.#complaints.push(String(end.reason));
      return await judge({
        ...{ plan, stage, startMs: this.#startMs, endMs, before, doings: this.#doings, control },
        ...{ vibes: [...this.#steady, ...churn.over], churn, memory, canary: await canary.look() },
        metrics: await stage.daemon.metrics(),
        complaints: [...this.#complaints, ...churn.complaints],
      });
    } finally {
      await memory.stop().catch(() => undefined);
      memory.close();
      process.off('exit', endDaemon);
      await stage.close().catch((error: unknown) => this.#say(`the daemon: ${(error as Error).message}`));
      await checks.close();
      await canary.stop();
    }
  }

  async #putOnAir(stage: Stage, checks: Checks): Promise<SoakVibe[]> {
    const vibes: SoakVibe[] = [];
    for (let number = 0; number <= this.#plan.steadyVibes; number += 1)
      vibes.push(
        await SoakVibe.start(stage, checks, {
          vibeId: number === 0 ? 'control' : `steady-${number}`,
          seed: 100 + number,
          door: DOORS[number % DOORS.length] ?? 'post',
        }),
      );
    return vibes;
  }

  async #doFaults(stage: Stage, targets: readonly SoakVibe[]): Promise<void> {
    for (const [index, planned] of this.#plan.faults.entries()) {
      await this.#until(planned.atSeconds);
      this.#doings.push(await this.#do(stage, index + 1, planned, targets));
    }
  }

  async #do(
    stage: Stage,
    fault: number,
    planned: PlannedFault,
    targets: readonly SoakVibe[],
  ): Promise<Doing> {
    const kind = SOAK_FAULTS[planned.name];
    const target = targetOf(planned, targets);
    const whom = kind.isEverybodys ? 'everybody' : target.vibeId;
    const affected = kind.isEverybodys ? this.#steady : [target];
    this.#say(`${this.#clock()}  fault ${fault} of ${this.#plan.faults.length}: ${planned.name}, ${whom}`);
    const fromMs = performance.now();
    let [witness, failure]: [string, string | undefined] = ['', undefined];
    try {
      witness = await kind.inject({ stage, steady: this.#steady, target });
      await healed(stage, affected, performance.now());
    } catch (error) {
      failure = (error as Error).message;
    }
    const untilMs = performance.now();
    this.#say(
      `${this.#clock()}    ${failure ?? witness}; over after ${((untilMs - fromMs) / 1000).toFixed(1)} s`,
    );
    const { mayLose, mayInsert } = kind;
    const among = kind.isEverybodys ? {} : { vibeId: target.vibeId };
    return {
      planned,
      target: whom,
      witness,
      failure,
      window: { fault, fromMs, untilMs, mayLose, mayInsert, ...among },
    };
  }

  /** Those who left without a word are forgotten while their vibes go on. */
  async #leasesRunOut(stage: Stage): Promise<void> {
    await eventually(
      'no lease is left',
      async () => (await stage.daemon.metrics()).sum('vibesflow_participants') === 0,
      { withinMs: LEASES_GONE_WITHIN_MS, everyMs: 200 },
    ).catch((error: unknown) => this.#complaints.push((error as Error).message));
  }

  async #until(seconds: number): Promise<void> {
    await delay(this.#startMs + seconds * 1000 - performance.now());
  }

  #progress(churn: Churn): void {
    const events = [...this.#steady, ...churn.over].reduce((sum, vibe) => sum + vibe.events.length, 0);
    this.#say(
      `${this.#clock()}  ${this.#steady.length} steady vibes, ${churn.onAir} short ones (${churn.over.length} over), ` +
        `${churn.listeners} listeners so far, ${events} events heard`,
    );
  }

  /** `03:07 of 20:00`. */
  #clock(): string {
    const told = (seconds: number): string =>
      `${String(Math.floor(seconds / 60)).padStart(2, '0')}:${String(Math.floor(seconds % 60)).padStart(2, '0')}`;
    return `${told((performance.now() - this.#startMs) / 1000)} of ${told(this.#plan.seconds)}`;
  }
}

/** A burst takes a creator that posts; the next one who does. */
function targetOf({ name, target }: PlannedFault, targets: readonly SoakVibe[]): SoakVibe {
  const inTurn = targets.map((_, index) => targets[(target + index) % targets.length] as SoakVibe);
  const fits = inTurn.find(({ door }) => name !== 'creator-burst' || door !== 'websocket');
  if (!fits) throw new Error(`nobody for ${name}`);
  return fits;
}
