import type { ServerResponse } from 'node:http';
import type { Clock } from '../../base/clock';
import {
  aacFrame,
  AUDIO_TAG,
  FLV_HEADER,
  flvTag,
  isAac,
  isAacConfig,
  MAX_ADTS_PAYLOAD_BYTES,
  SCRIPT_TAG,
} from '../flv';
import { parseAacConfig } from './aac-config';
import { type AmfObject, type AmfValue, encodeAmf0Script } from '../rtmp/amf0';
import { FanOut } from './fan-out';
import { FlvListener } from './flv-listener';
import { FrameClock } from './frame-clock';
import { HlsStream } from './hls-stream';
import type { Framing } from './tag-batch';
import { TicketHolders } from './ticket-holders';

/** A listener that has not read the end of its stream by then is disconnected. */
const LINGER_MS = 10_000;

export interface ChannelOptions {
  readonly vibeId: string;
  /** Tells this channel from earlier ones of the same name. */
  readonly stamp: string;
  readonly firstSequence: number;
  /** Whether only holders of tickets may play it. */
  readonly isPrivate: boolean;
  readonly clock: Clock;
  /** The number of listeners is another one. */
  readonly onListeners: () => void;
  readonly onCut: (reason: string) => void;
}

/**
 * One stream's way from its publisher to its listeners: AAC frames come in, FLV tags and HLS segments go out. It
 * outlives publishers; its time goes on from one to the next.
 */
export class Channel {
  readonly vibeId: string;
  readonly stamp: string;
  readonly hls: HlsStream;
  /** Nothing where everybody may play it. */
  readonly holders: TicketHolders | undefined;
  readonly #options: ChannelOptions;
  readonly #listeners = new FanOut();
  readonly #time = new FrameClock();
  #metadata: Buffer | undefined;
  #config: Buffer | undefined;
  #ended = false;

  constructor(options: ChannelOptions) {
    this.#options = options;
    this.vibeId = options.vibeId;
    this.stamp = options.stamp;
    this.hls = new HlsStream(options);
    this.holders = options.isPrivate ? new TicketHolders() : undefined;
  }

  get listeners(): number {
    return this.#listeners.size;
  }

  /** Adds a player whose answer's head is sent: it gets what it needs to begin, and from now on every frame. */
  attach(response: ServerResponse, framing: Framing): void {
    const listener = new FlvListener({
      response,
      framing,
      originMs: this.#time.ms,
      onCut: this.#options.onCut,
    });
    const tags: Buffer[] = [FLV_HEADER];
    if (this.#metadata) tags.push(flvTag(SCRIPT_TAG, 0, this.#metadata));
    if (this.#config) tags.push(flvTag(AUDIO_TAG, 0, this.#config));
    listener.open(Buffer.concat(tags));
    this.#listeners.add(listener);
    response.once('close', () => {
      this.#listeners.delete(listener);
      this.#options.onListeners();
    });
    this.#options.onListeners();
  }

  /** What the publisher says about its audio; what it says about anything else stays behind. */
  metadata(members: AmfObject): void {
    const audio: Record<string, AmfValue> = { hasAudio: true, hasVideo: false };
    for (const [key, value] of Object.entries(members)) {
      const isScalar = typeof value === 'number' || typeof value === 'boolean' || typeof value === 'string';
      if (isScalar && (/^audio[a-z]{1,32}$/.test(key) || key === 'stereo' || key === 'encoder'))
        audio[key] = value;
    }
    const body = encodeAmf0Script('onMetaData', audio);
    if (this.#metadata?.equals(body)) return;
    this.#metadata = body;
    this.#broadcast(SCRIPT_TAG, body);
  }

  /**
   * Takes an audio tag's body.
   * @returns whether it was a frame, and not a configuration
   * @throws {Error} where it is not AAC that the relay can pass on
   */
  audio(body: Buffer): boolean {
    if (!isAac(body)) throw new Error('only AAC is taken');
    if (isAacConfig(body)) {
      this.#configure(body);
      return false;
    }
    if (!this.#config) throw new Error('AAC came before its configuration');
    const raw = aacFrame(body);
    if (raw.length > MAX_ADTS_PAYLOAD_BYTES)
      throw new Error(`an AAC frame of ${raw.length} bytes is too long`);
    this.#broadcast(AUDIO_TAG, body);
    this.hls.add(raw, this.#time.ticks);
    this.#time.advance();
    return true;
  }

  /** The stream is over: listeners get the rest and the end, HLS its last segment. Idempotent. */
  end(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.hls.end();
    this.#listeners.end();
    if (this.#listeners.size > 0)
      this.#options.clock.after(LINGER_MS, () => this.#listeners.destroy(), { background: true });
  }

  #configure(body: Buffer): void {
    if (this.#config?.equals(body)) return;
    const config = parseAacConfig(body);
    this.#config = Buffer.from(body);
    this.#time.setFormat(config);
    this.hls.setConfig(config);
    this.#broadcast(AUDIO_TAG, body);
  }

  #broadcast(type: typeof AUDIO_TAG | typeof SCRIPT_TAG, body: Buffer): void {
    if (this.#listeners.size === 0) return;
    const timeMs = this.#time.ms;
    this.#listeners.send({ bytes: flvTag(type, timeMs, body), timeMs });
  }
}
