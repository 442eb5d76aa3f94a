import { performance } from 'node:perf_hooks';
import { delay } from '../../helpers/eventually';
import { seededRandom } from '../../helpers/music';
import { webAgent } from '../../helpers/web';
import { CHUNK_MS, CHUNK_SAMPLES, chunkOf, type Creator, type CreatorOptions, postChunk } from './creator';
import { Sending } from './sending';

/** It is ahead by so much, and each chunk comes up to so much later: always before its turn, rarely in turn. */
const LEAD_MS = 1_000;
const SHUFFLE_MS = 800;
/** So much after its place in the schedule, the turn of a chunk is over: all that may be held before is played. */
const LATE_MS = 2_000;
/** Not before the vibe is on air: what comes before the first chunk has no turn yet. */
const FIRST_UNRULY = 15;

/** Which part of its chunks it treats how; by chance, from its seed. */
export interface Manners {
  /** Sent twice. */
  readonly twice?: number;
  /** Never sent. */
  readonly skipped?: number;
  /** Sent when their turn is over. */
  readonly late?: number;
}

/** Sends numbered chunks out of order, over many connections at once, and some of them twice, too late or never. */
export class UnrulyCreator implements Creator {
  /** Chunks that came after a later one, and chunks that the relay said it had already. */
  outOfOrder = 0;
  duplicates = 0;
  /** Chunks that it never sent, and chunks that the relay refused because their turn was over. */
  skipped = 0;
  tooLate = 0;
  readonly #options: CreatorOptions;
  readonly #manners: Required<Manners>;
  readonly #accepted: number[] = [];
  readonly #sending = new Sending();
  #highest = -1;

  constructor(options: CreatorOptions, manners: Manners) {
    this.#options = options;
    this.#manners = { twice: 0, skipped: 0, late: 0, ...manners };
  }

  get sentSamples(): number {
    return this.#accepted.length * CHUNK_SAMPLES;
  }

  get chunks(): readonly number[] {
    return [...this.#accepted].sort((a, b) => a - b);
  }

  start(): void {
    this.#sending.begin(() => this.#send());
  }

  stop(): Promise<void> {
    return this.#sending.stop();
  }

  async #send(): Promise<void> {
    const agent = webAgent(this.#options.apiUrl, { keepAlive: true });
    const random = seededRandom(this.#options.seed);
    const startMs = performance.now();
    const posts: Promise<void>[] = [];
    try {
      for (let index = 0; !this.#sending.isStopping; index += 1) {
        const dueMs = Math.max(startMs, startMs + index * CHUNK_MS - LEAD_MS);
        await delay(dueMs - performance.now());
        for (const afterMs of this.#plan(index, random))
          posts.push(this.#post(index, { dueMs, afterMs }, agent));
        posts.at(-1)?.catch(() => undefined);
      }
      await Promise.all(posts);
    } finally {
      agent.destroy();
    }
  }

  /** When a chunk is sent, after its place in the schedule: never, once or twice. */
  #plan(index: number, random: () => number): number[] {
    const { twice, skipped, late } = this.#manners;
    const [fate, first, second] = [random(), random() * SHUFFLE_MS, random() * SHUFFLE_MS];
    if (index >= FIRST_UNRULY && fate < skipped) {
      this.skipped += 1;
      return [];
    }
    if (index >= FIRST_UNRULY && fate < skipped + late) return [LATE_MS];
    return fate > 1 - twice ? [first, second] : [first];
  }

  async #post(
    index: number,
    { dueMs, afterMs }: { dueMs: number; afterMs: number },
    agent: ReturnType<typeof webAgent>,
  ): Promise<void> {
    const leftMs = (): number => dueMs + afterMs - performance.now();
    const isLate = afterMs > SHUFFLE_MS;
    while (leftMs() > 0) {
      // Silence would follow the last chunk while this one is waited for, and be played for nobody.
      if (isLate && this.#sending.isStopping) return;
      await delay(Math.min(leftMs(), CHUNK_MS));
    }
    if (index < this.#highest) this.outOfOrder += 1;
    this.#highest = Math.max(this.#highest, index);
    const body = chunkOf(this.#options.seed, index);
    const answer = await postChunk(this.#options, { index, body, agent });
    if (answer.status === 410) {
      this.tooLate += 1;
      return;
    }
    if (answer.status !== 202) throw new Error(`chunk ${index}: ${answer.status} ${answer.body.toString()}`);
    const { accepted } = JSON.parse(answer.body.toString()) as { accepted: number };
    if (accepted === 0) this.duplicates += 1;
    else this.#accepted.push(index);
  }
}
