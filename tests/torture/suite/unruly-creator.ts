import { performance } from 'node:perf_hooks';
import { delay } from '../../helpers/eventually';
import { httpRequest } from '../../helpers/http-request';
import { seededRandom } from '../../helpers/music';
import { webAgent } from '../../helpers/web';
import { CHUNK_MS, CHUNK_SAMPLES, chunkOf, type Creator, type CreatorOptions } from './creator';

/** It is ahead by so much, and each chunk comes up to so much later: always before its turn, rarely in turn. */
const LEAD_MS = 1_000;
const SHUFFLE_MS = 800;
/** Such a part of the chunks is sent twice. */
const TWICE = 0.3;

/** Sends numbered chunks out of order and some of them twice, over many connections at once. */
export class UnrulyCreator implements Creator {
  sentSamples = 0;
  /** Chunks that came after a later one, and chunks that the relay said it had already. */
  outOfOrder = 0;
  duplicates = 0;
  readonly #options: CreatorOptions;
  #isStopping = false;
  #sending: Promise<void> | undefined;
  #highest = -1;

  constructor(options: CreatorOptions) {
    this.#options = options;
  }

  start(): void {
    this.#sending ??= this.#send();
    this.#sending.catch(() => undefined);
  }

  async stop(): Promise<void> {
    this.#isStopping = true;
    await this.#sending;
  }

  async #send(): Promise<void> {
    const agent = webAgent(this.#options.apiUrl, { keepAlive: true });
    const random = seededRandom(this.#options.seed);
    const startMs = performance.now();
    const posts: Promise<void>[] = [];
    try {
      for (let index = 0; !this.#isStopping; index += 1) {
        const dueMs = Math.max(startMs, startMs + index * CHUNK_MS - LEAD_MS);
        await delay(dueMs - performance.now());
        for (let times = random() < TWICE ? 2 : 1; times > 0; times -= 1)
          posts.push(this.#post(index, dueMs + random() * SHUFFLE_MS, agent));
        posts.at(-1)?.catch(() => undefined);
        this.sentSamples += CHUNK_SAMPLES;
      }
      await Promise.all(posts);
    } finally {
      agent.destroy();
    }
  }

  async #post(index: number, atMs: number, agent: ReturnType<typeof webAgent>): Promise<void> {
    const { apiUrl, vibeId, ownerKey, seed } = this.#options;
    await delay(atMs - performance.now());
    if (index < this.#highest) this.outOfOrder += 1;
    this.#highest = Math.max(this.#highest, index);
    const answer = await httpRequest(`${apiUrl}/stream/${vibeId}/audio?sequence=${index}`, {
      method: 'POST',
      headers: { 'content-type': 'audio/pcm;rate=48000;channels=2', authorization: `Bearer ${ownerKey}` },
      body: chunkOf(seed, index),
      agent,
    });
    if (answer.status !== 202) throw new Error(`chunk ${index}: ${answer.status} ${answer.body.toString()}`);
    const { accepted } = JSON.parse(answer.body.toString()) as { accepted: number };
    if (accepted === 0) this.duplicates += 1;
  }
}
