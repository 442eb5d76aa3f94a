import { performance } from 'node:perf_hooks';
import { splitAdts } from '../../helpers/adts';
import { delay } from '../../helpers/eventually';
import { httpRequest } from '../../helpers/http-request';
import { decoded, hears, type Listening, longestStall, type Stall } from './ear';
import { tsAudio } from './ts-audio';

/** As often as a player looks that wants to be near the live edge. */
const LOOK_MS = 200;
const ANSWER_WITHIN_MS = 2_000;
/** Nothing new for so long: SRS does not say when a stream is over. Segments have 2 s. */
const OVER_AFTER_MS = 5_000;

/** A listener of HLS who stays: looks at the playlist over and over, whatever is answered, and fetches each segment once. */
export class HlsEar implements Listening {
  readonly usualGapMs = 2_500;
  readonly frames: { aac: Buffer; atMs: number }[] = [];
  /** There is no connection that could break. */
  readonly reconnects = 0;
  timestampFault: string | undefined;
  readonly #url: string;
  readonly #lookMs: number;
  readonly #fetched = new Set<string>();
  #playlist = '';
  #changedMs = performance.now();
  #sequence = -1;
  #isLeaving = false;
  readonly #over: Promise<void>;

  constructor(url: string, { lookMs = LOOK_MS } = {}) {
    this.#url = url;
    this.#lookMs = lookMs;
    this.#over = this.#stay();
  }

  get isConnected(): boolean {
    return !this.#playlist.includes('#EXT-X-ENDLIST') && performance.now() - this.#changedMs < OVER_AFTER_MS;
  }

  hears(frames: number, sinceMs = 0, withinMs = 60_000): Promise<void> {
    return hears(this, frames, { sinceMs, withinMs });
  }

  longestStall(sinceMs: number): Stall {
    return longestStall(this.frames, sinceMs);
  }

  decoded(): Promise<readonly [Float32Array, Float32Array]> {
    return decoded(this.frames);
  }

  async leave(): Promise<void> {
    this.#isLeaving = true;
    await this.#over;
  }

  async #stay(): Promise<void> {
    while (!this.#isLeaving) {
      const playlist = await fetched(this.#url);
      // As a player does, it asks again for what it could not get as long as the playlist has it.
      if (playlist) await this.#take(playlist.toString());
      await delay(this.#lookMs);
    }
  }

  async #take(playlist: string): Promise<void> {
    const sequence = Number(/^#EXT-X-MEDIA-SEQUENCE:(\d+)/m.exec(playlist)?.[1] ?? 0);
    if (sequence < this.#sequence)
      this.timestampFault ??= `the playlist’s sequence goes back from ${this.#sequence} to ${sequence}`;
    this.#sequence = sequence;
    for (const uri of playlist.split(/\r?\n/)) {
      if (uri === '' || uri.startsWith('#') || this.#fetched.has(uri)) continue;
      const segment = await fetched(new URL(uri, this.#url).href);
      if (!segment) return;
      this.#fetched.add(uri);
      const atMs = performance.now();
      for (const aac of splitAdts(tsAudio(segment))) this.frames.push({ aac, atMs });
    }
    if (playlist === this.#playlist) return;
    this.#playlist = playlist;
    this.#changedMs = performance.now();
  }
}

async function fetched(url: string): Promise<Buffer | undefined> {
  const answer = await httpRequest(url, { withinMs: ANSWER_WITHIN_MS }).catch(() => undefined);
  return answer?.status === 200 ? answer.body : undefined;
}
