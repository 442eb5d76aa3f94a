import { performance } from 'node:perf_hooks';
import { splitAdts } from './adts';
import { delay } from './eventually';
import { FFMPEG, QUIET } from './ffmpeg';
import { httpRequest } from './http-request';
import { HANGS_AFTER_MS } from './patience';
import { outputOf } from './run-program';

/** SRS writes its last segment, and the playlist that has it, within milliseconds of the publisher's end. */
const SETTLED_MS = 1_500;

/** Follows one HLS playlist from its first appearance to its end, as a player does: each segment once, in order. */
export class HlsListener {
  readonly segments: { readonly uri: string; readonly bytes: Buffer; readonly atMs: number }[] = [];
  /** The newest playlist, for tests of its form. */
  playlist = '';
  /** Resolves when the playlist has said that it is over; rejects on a broken playlist or segment. */
  readonly done: Promise<void>;
  readonly #url: string;
  #nextSequence: number | undefined;
  #stopped = false;

  /** @param withinMs how long the playlist may take to appear, and to change */
  constructor(url: string, withinMs = HANGS_AFTER_MS) {
    this.#url = url;
    this.done = this.#follow(withinMs);
    this.done.catch(() => undefined);
  }

  /** Stops following, without waiting for the end. */
  stop(): void {
    this.#stopped = true;
  }

  /** Fetches what stands in the playlist once it has not changed for a second and a half: SRS says no end. */
  async finish(): Promise<void> {
    const until = this.segments.length;
    await delay(SETTLED_MS);
    if (this.segments.length > until) return this.finish();
    this.#stopped = true;
    await this.done;
  }

  /** All segments, one after the other: an MPEG transport stream. */
  get bytes(): Buffer {
    return Buffer.concat(this.segments.map((segment) => segment.bytes));
  }

  /** The raw AAC frames in all segments. */
  async frames(): Promise<Buffer[]> {
    const args = [...QUIET, '-f', 'mpegts', '-i', 'pipe:0', '-c', 'copy', '-f', 'adts', 'pipe:1'];
    return splitAdts(await outputOf(FFMPEG, args, { input: this.bytes }));
  }

  async #follow(withinMs: number): Promise<void> {
    let changedAtMs = performance.now();
    while (!this.#stopped) {
      const answer = await httpRequest(this.#url);
      if (answer.status === 200 && answer.body.toString() !== this.playlist) {
        this.playlist = answer.body.toString();
        changedAtMs = performance.now();
        await this.#fetchNew();
        if (this.playlist.includes('#EXT-X-ENDLIST')) return;
      } else if (answer.status !== 200 && this.segments.length > 0) {
        throw new Error(`the playlist went away (${answer.status}) before it said that it was over`);
      }
      if (performance.now() - changedAtMs > withinMs)
        throw new Error(`the playlist did not change for ${withinMs} ms (last answer ${answer.status})`);
      await delay(200);
    }
  }

  async #fetchNew(): Promise<void> {
    if (!this.playlist.startsWith('#EXTM3U')) throw new Error(`no playlist: ${this.playlist.slice(0, 100)}`);
    const first = Number(/^#EXT-X-MEDIA-SEQUENCE:(\d+)/m.exec(this.playlist)?.[1] ?? 0);
    const uris = this.playlist.split(/\r?\n/).filter((line) => line !== '' && !line.startsWith('#'));
    this.#nextSequence ??= first;
    if (first > this.#nextSequence)
      throw new Error(`segments ${this.#nextSequence} to ${first - 1} left the window before they were seen`);
    for (const [index, uri] of uris.entries()) {
      if (first + index < this.#nextSequence) continue;
      const answer = await httpRequest(new URL(uri, this.#url).href);
      if (answer.status !== 200) throw new Error(`segment ${uri}: ${answer.status}`);
      this.segments.push({ uri, bytes: answer.body, atMs: performance.now() });
      this.#nextSequence = first + index + 1;
    }
  }
}
