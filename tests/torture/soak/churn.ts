import { performance } from 'node:perf_hooks';
import { delay } from '../../helpers/eventually';
import { FlvListener } from '../../helpers/flv-listener';
import { httpRequest, jsonRequest } from '../../helpers/http-request';
import { seededRandom } from '../../helpers/music';
import type { Stage } from '../suite/stage';
import type { Checks } from './checks';
import { DOORS, SoakVibe } from './soak-vibe';

/** A vibe begins so often, and lasts from 5 to 20 s. */
const VIBE_EVERY_MS = 4_000;
const VIBE_MS = [5_000, 20_000] as const;
/** Such a part of their creators go away without a word. */
const ABANDONED = 0.2;
/** A listener comes so often, and stays from 0.2 to 8 s. */
const LISTENER_EVERY_MS = 300;
const LISTENER_MS = [200, 8_000] as const;
/** Such a part of them leave as they should; the others are gone, and their leases run out. */
const POLITE = 0.5;

interface ChurnOptions {
  readonly stage: Stage;
  readonly checks: Checks;
  readonly seed: number;
  readonly steady: readonly SoakVibe[];
}

/** People who come and go while the steady vibes last: creators with short vibes, and listeners of all vibes. */
export class Churn {
  /** Vibes that are over. */
  readonly over: SoakVibe[] = [];
  /** What went wrong for anybody, in words. */
  readonly complaints: string[] = [];
  listeners = 0;
  /** Of those, who were sent away: while the media server is away, that is nobody's fault. */
  turnedAway = 0;
  readonly #options: ChurnOptions;
  readonly #random: () => number;
  readonly #onAir = new Set<SoakVibe>();
  readonly #running = new Set<Promise<void>>();
  #isStopping = false;
  #vibes = 0;

  constructor(options: ChurnOptions) {
    this.#options = options;
    this.#random = seededRandom(options.seed);
  }

  /** Short vibes on air now. */
  get onAir(): number {
    return this.#onAir.size;
  }

  start(): void {
    this.#run(this.#every(VIBE_EVERY_MS, () => this.#vibe()));
    this.#run(this.#every(LISTENER_EVERY_MS, () => this.#listener()));
  }

  /** Lets nobody come any more; resolves when everybody is gone. */
  async stop(): Promise<void> {
    this.#isStopping = true;
    while (this.#running.size > 0) await Promise.all([...this.#running]);
  }

  #run(work: Promise<void>): void {
    const running = work
      .catch((error: unknown) => void this.complaints.push((error as Error).message))
      .finally(() => this.#running.delete(running));
    this.#running.add(running);
  }

  async #every(ms: number, come: () => Promise<void>): Promise<void> {
    while (!this.#isStopping) {
      this.#run(come());
      await this.#stay(ms * (0.5 + this.#random()));
    }
  }

  async #vibe(): Promise<void> {
    const { stage, checks, seed } = this.#options;
    const number = ++this.#vibes;
    const lengthMs = this.#between(...VIBE_MS);
    const isAbandoned = this.#random() < ABANDONED;
    const vibe = await SoakVibe.start(stage, checks, {
      vibeId: `passing-${number}`,
      seed: 1_000 + (seed % 1_000) + number,
      door: DOORS[number % DOORS.length] ?? 'post',
    });
    this.#onAir.add(vibe);
    try {
      await this.#stay(lengthMs);
      await vibe.end({ isAbandoned });
    } finally {
      this.#onAir.delete(vibe);
      this.over.push(vibe);
    }
  }

  /** Joins, as a page does, and plays for a while. */
  async #listener(): Promise<void> {
    const { stage, steady } = this.#options;
    const vibes = [...steady, ...this.#onAir];
    const { vibeId } = vibes[Math.floor(this.#random() * vibes.length)] as SoakVibe;
    const [lengthMs, isPolite, hasHls] = [
      this.#between(...LISTENER_MS),
      this.#random() < POLITE,
      this.#random() < 0.2,
    ];
    this.listeners += 1;
    const url = `${stage.daemon.apiUrl}/stream/${vibeId}`;
    const participantId = `listener-${this.listeners}`;
    const { status } = await jsonRequest(`${url}/join`, { method: 'POST', json: { participantId } });
    // The vibe may have ended just now.
    if (status !== 200 && status !== 404) this.complaints.push(`join ${vibeId}: ${status}`);
    const listener = await FlvListener.connect(stage.daemon.flvUrl(vibeId)).catch(() => undefined);
    if (!listener) this.turnedAway += 1;
    if (hasHls) await httpRequest(stage.daemon.hlsUrl(vibeId)).catch(() => undefined);
    for (const untilMs = performance.now() + lengthMs; performance.now() < untilMs;) {
      await this.#stay(Math.min(500, untilMs - performance.now()));
      listener?.frames.splice(0);
      if (this.#isStopping) break;
    }
    listener?.leave();
    if (isPolite) await jsonRequest(`${url}/leave`, { method: 'POST', json: { participantId } });
  }

  #between(least: number, most: number): number {
    return least + this.#random() * (most - least);
  }

  async #stay(ms: number): Promise<void> {
    for (const untilMs = performance.now() + ms; !this.#isStopping && performance.now() < untilMs;)
      await delay(Math.min(100, untilMs - performance.now()));
  }
}
