import { performance } from 'node:perf_hooks';
import { notJudged } from '../helpers/canary';
import type { Daemon } from '../helpers/daemon';
import { delay } from '../helpers/eventually';
import { FlvListener } from '../helpers/flv-listener';
import { httpRequest } from '../helpers/http-request';
import { music } from '../helpers/music';
import { encodeOffline } from '../helpers/offline-encode';
import { webAgent } from '../helpers/web';

const CHUNK_MS = 100;
/** The creator is so far ahead, and the vibe holds so much before it begins: rows are sent from the same process. */
const LEAD_MS = 1_500;
export const PREBUFFER_MS = 1_500;
/** What the relay, its encoder and its listener may hold besides. */
const UNDERWAY_MS = 3_000;
/** At the end of a stream the encoder pads: the last frames prove nothing. */
const TAIL_FRAMES = 3;
const CHUNK_BYTES = 192 * CHUNK_MS;
const FRAME_MS = 64 / 3;

/**
 * A vibe of somebody who does nothing wrong, with a listener, beside everything that is sent to a door: what reaches the
 * listener must be, byte for byte, what an offline encode makes of what was posted.
 */
export class ControlVibe {
  static readonly id = 'control';
  static readonly creator = 'an-honest-creator';
  readonly #daemon: Daemon;
  readonly #listener: FlvListener;
  readonly #credential: string | undefined;
  readonly #posted: Buffer[] = [];
  readonly #sending: Promise<void>;
  #isOver = false;
  #latestMs = 0;

  private constructor(daemon: Daemon, listener: FlvListener, credential: string | undefined) {
    this.#daemon = daemon;
    this.#credential = credential;
    this.#listener = listener;
    this.#sending = this.#send();
    this.#sending.catch(() => undefined);
  }

  /**
   * Resolves when the listener hears it.
   * @param options `claimed`: whether it has an owner key, without which anybody may end it who names no creator; `token`: its
   *   creator’s, where tokens are asked for
   */
  static async begin(
    daemon: Daemon,
    { claimed = false, token }: { claimed?: boolean | undefined; token?: string | undefined } = {},
  ): Promise<ControlVibe> {
    const { status, body } = await httpRequest(`${daemon.apiUrl}/stream/${ControlVibe.id}/start`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...bearer(token) },
      body: JSON.stringify({ creator: ControlVibe.creator, claim: claimed }),
    });
    if (status !== 201) throw new Error(`the control vibe: ${status} ${body.toString()}`);
    const { ownerKey } = JSON.parse(body.toString()) as { ownerKey?: string };
    const listener = daemon.srs
      ? await FlvListener.join(daemon.flvUrl(ControlVibe.id))
      : await FlvListener.connect(daemon.flvUrl(ControlVibe.id));
    const vibe = new ControlVibe(daemon, listener, token ?? ownerKey);
    await listener.until('the first frames', () => listener.frames.length > TAIL_FRAMES);
    return vibe;
  }

  /**
   * Ends the vibe, and compares all that its listener heard.
   * @throws {Error} at the first frame that differs, or where frames are missing
   */
  async prove(): Promise<void> {
    this.#isOver = true;
    await this.#sending;
    await httpRequest(`${this.#daemon.apiUrl}/stream/${ControlVibe.id}/end`, {
      method: 'POST',
      headers: { ...this.#headers, 'content-type': 'application/json' },
      body: JSON.stringify({ creator: ControlVibe.creator, drain: false }),
    });
    await this.#listener.end();
    const heard = this.#listener.aacFrames.slice(0, -TAIL_FRAMES);
    const posted = Buffer.concat(this.#posted);
    const heldMs = LEAD_MS + PREBUFFER_MS + UNDERWAY_MS + this.#latestMs;
    const least = Math.floor((posted.length / 192 - heldMs) / FRAME_MS);
    const expected = await encodeOffline(posted);
    const different = heard.findIndex((frame, at) => !expected[at]?.equals(frame));
    if (different < 0 && heard.length >= least) return;
    const what =
      different < 0
        ? `only ${heard.length} frames of at least ${least} were heard`
        : `frame ${different} of ${heard.length} differs`;
    // Silence went in where a chunk did not come: that is right, and no difference to be found.
    if (this.#latestMs > PREBUFFER_MS) return notJudged(what, `the creator was late by ${this.#latestMs} ms`);
    throw new Error(`the control vibe: ${what}; the creator was late by ${this.#latestMs} ms at worst`);
  }

  get #headers(): Record<string, string> {
    return bearer(this.#credential);
  }

  /** Sends on, after a tune's end from its beginning, until `prove`. */
  async #send(): Promise<void> {
    const tune = music(20, 6);
    const agent = webAgent(this.#daemon.apiUrl, { keepAlive: true, maxSockets: 1 });
    const url = `${this.#daemon.apiUrl}/stream/${ControlVibe.id}/audio?creator=${ControlVibe.creator}`;
    const startMs = performance.now() - LEAD_MS;
    for (let sent = 0; !this.#isOver; sent += 1) {
      const leftMs = startMs + sent * CHUNK_MS - performance.now();
      if (leftMs > 0) await delay(leftMs);
      // The first ones are due all at once.
      if (sent > LEAD_MS / CHUNK_MS) this.#latestMs = Math.max(this.#latestMs, Math.round(-leftMs));
      const from = (sent * CHUNK_BYTES) % tune.length;
      const body = tune.subarray(from, from + CHUNK_BYTES);
      const answer = await httpRequest(url, {
        method: 'POST',
        headers: { ...this.#headers, 'content-type': 'audio/pcm' },
        body,
        agent,
      });
      if (answer.status !== 202)
        throw new Error(`the control vibe: ${answer.status} ${answer.body.toString()}`);
      this.#posted.push(body);
    }
    agent.destroy();
  }
}

/** The header that shows a token or a key. */
export function bearer(token: string | undefined): Record<string, string> {
  return token === undefined ? {} : { authorization: `Bearer ${token}` };
}
