import { performance } from 'node:perf_hooks';
import { delay } from '../../helpers/eventually';
import { type HttpAnswer, type HttpRequest, httpRequest } from '../../helpers/http-request';
import { webAgent } from '../../helpers/web';
import { noise, NOISE_RATE } from '../continuity/noise';
import { Sending } from './sending';

/** Somebody who sends the noise of one seed until told to stop. */
export interface Creator {
  start(): void;
  /** Resolves when the relay has acknowledged all that was sent. */
  stop(): Promise<void>;
  /** Samples sent and acknowledged: what listeners are to hear. */
  readonly sentSamples: number;
  /** The numbers of the chunks that listeners are to hear, in order; all of them unless told. */
  readonly chunks?: readonly number[];
}

export interface CreatorOptions {
  /** Of the relay, or of what stands before it. */
  readonly apiUrl: string;
  readonly vibeId: string;
  readonly seed: number;
  /** Who started the vibe got it; the relay must never show it. */
  readonly ownerKey: string;
  /** What is sent, `CHUNK_SAMPLES` at a time; the noise of the seed unless told. */
  readonly chunk?: (index: number) => Buffer;
  /** How whoever posts wraps it: as it is, or as base64 in JSON. */
  readonly wrapping?: 'raw' | 'json';
}

export const CHUNK_MS = 100;
export const CHUNK_SAMPLES = (CHUNK_MS * NOISE_RATE) / 1000;
/** It is ahead by so much: a busy test machine makes no silence of its own. */
const LEAD_MS = 300;
const RETRY_MS = 100;
/** A POST without an answer by then is sent again over another connection. */
const ANSWER_WITHIN_MS = 4_000;

/** One channel of what listeners are to hear. @param seed of that channel */
export function sentBy({ chunks, sentSamples }: Creator, seed: number): Float32Array {
  if (!chunks) return noise(seed, 0, sentSamples);
  const sent = new Float32Array(chunks.length * CHUNK_SAMPLES);
  chunks.forEach((chunk, at) =>
    sent.set(noise(seed, chunk * CHUNK_SAMPLES, CHUNK_SAMPLES), at * CHUNK_SAMPLES),
  );
  return sent;
}

/** One chunk of both channels, as interleaved s16le. Chunk 0 is the first. */
export function chunkOf(seed: number, index: number, samples = CHUNK_SAMPLES): Buffer {
  const [left, right] = [noise(seed, index * samples, samples), noise(seed + 1, index * samples, samples)];
  const pcm = new Int16Array(samples * 2);
  for (let at = 0; at < samples; at += 1) {
    pcm[2 * at] = left[at] as number;
    pcm[2 * at + 1] = right[at] as number;
  }
  return Buffer.from(pcm.buffer);
}

/** Posts one numbered chunk, as whoever started the vibe. */
export function postChunk(
  { apiUrl, vibeId, ownerKey, wrapping = 'raw' }: CreatorOptions,
  { index, body, ...request }: { index: number; body: Buffer } & Pick<HttpRequest, 'agent' | 'withinMs'>,
): Promise<HttpAnswer> {
  const isRaw = wrapping === 'raw';
  const type = isRaw ? 'audio/pcm;rate=48000;channels=2' : 'application/json';
  const json = { audioData: isRaw ? '' : body.toString('base64'), sampleRate: 48_000, channels: 2 };
  return httpRequest(`${apiUrl}/stream/${vibeId}/audio?sequence=${index}`, {
    ...request,
    method: 'POST',
    headers: { 'content-type': type, authorization: `Bearer ${ownerKey}` },
    body: isRaw ? body : JSON.stringify({ ...json, creator: 'noise', sequence: index }),
  });
}

/**
 * The creator that the documents ask for: posts numbered chunks, one after the other, and sends a chunk again under
 * its number until it is acknowledged, whatever happens to connections in between.
 */
export class NumberedCreator implements Creator {
  sentSamples = 0;
  /** Chunks that had to be sent again. */
  retries = 0;
  /** How far it is ahead of the clock: more, and it sends as fast as it is let until it is. */
  aheadMs = LEAD_MS;
  /** While it is, nothing is sent; what would have been sent meanwhile never is. */
  isPausing = false;
  readonly #options: CreatorOptions;
  /** How much faster than real time it plays. */
  readonly #rate: number;
  readonly #sending = new Sending();

  /** @param ppm how much faster than true its clock runs */
  constructor(options: CreatorOptions, ppm = 0) {
    this.#options = options;
    this.#rate = 1 + ppm / 1e6;
  }

  start(): void {
    this.#sending.begin(() => this.#send());
  }

  stop(): Promise<void> {
    return this.#sending.stop();
  }

  async #send(): Promise<void> {
    const { apiUrl, seed, chunk = (index: number) => chunkOf(seed, index) } = this.#options;
    const agent = webAgent(apiUrl, { keepAlive: true, maxSockets: 1 });
    let startMs = performance.now();
    try {
      for (let index = 0; !this.#sending.isStopping; index += 1) {
        const dueMs = startMs + (index * CHUNK_MS) / this.#rate - this.aheadMs;
        await this.#until(dueMs);
        startMs += await this.#pause();
        if (this.#sending.isStopping) break;
        const body = chunk(index);
        while (!(await this.#post(body, index, agent))) {
          this.retries += 1;
          await delay(RETRY_MS);
        }
        this.sentSamples += CHUNK_SAMPLES;
      }
    } finally {
      agent.destroy();
    }
  }

  /** Waits until then, or until it is to stop. */
  async #until(dueMs: number): Promise<void> {
    for (
      let leftMs = dueMs - performance.now();
      leftMs > 0 && !this.#sending.isStopping;
      leftMs = dueMs - performance.now()
    )
      await delay(Math.min(leftMs, CHUNK_MS));
  }

  /** @returns how long it was */
  async #pause(): Promise<number> {
    const fromMs = performance.now();
    while (this.isPausing && !this.#sending.isStopping) await delay(RETRY_MS);
    return performance.now() - fromMs;
  }

  /** @returns whether it was acknowledged; refusals that pass are no error */
  async #post(body: Buffer, index: number, agent: ReturnType<typeof webAgent>): Promise<boolean> {
    const answer = await postChunk(this.#options, {
      ...{ index, body, agent },
      withinMs: ANSWER_WITHIN_MS,
    }).catch(() => undefined);
    if (!answer || answer.status === 429 || answer.status >= 500) return false;
    if (answer.status === 202) return true;
    throw new Error(`chunk ${index}: ${answer.status} ${answer.body.toString().slice(0, 300)}`);
  }
}
