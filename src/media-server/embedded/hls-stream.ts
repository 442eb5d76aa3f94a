import type { Clock } from '../../base/clock';
import { adtsFrame } from '../flv';
import type { AacConfig } from './aac-config';
import { TsMuxer } from './mpeg-ts';
import { Waiters } from './waiters';

/** A playlist promises that no segment is longer; segments hold as many whole AAC frames as fit: 93 at 48 kHz. */
export const TARGET_SECONDS = 2;
/** Segments in the playlist: 12 s, and players begin about three from the end. */
const WINDOW_SEGMENTS = 6;
/** Segments that have left the playlist and are still served to players that read an older one. */
const EXPIRED_SEGMENTS = 4;
/** Four frames a PES packet: 85 ms, so that the clock in each comes often enough (100 ms at most). */
const FRAMES_PER_PES = 4;

interface Segment {
  readonly name: string;
  readonly sequence: number;
  readonly seconds: number;
  readonly startedEpochMs: number;
  /** The codec's configuration changed before this segment. */
  readonly discontinuity: boolean;
  readonly bytes: Buffer;
}

interface OpenSegment {
  readonly startedEpochMs: number;
  readonly discontinuity: boolean;
  readonly parts: Buffer[];
  frames: number;
  seconds: number;
}

/**
 * One vibe's HLS, packaged in memory from the AAC frames that the FLV listeners get. An encoder's restart goes
 * unnoticed here: a segment is closed when it is full, or when the stream is over.
 */
export class HlsStream {
  readonly #name: string;
  readonly #clock: Clock;
  readonly #muxer = new TsMuxer();
  readonly #segments: Segment[] = [];
  readonly #ready = new Waiters<true>();
  #nextSequence: number;
  #discontinuities = 0;
  #config: AacConfig | undefined;
  #changed = false;
  #open: OpenSegment | undefined;
  #pes: Buffer[] = [];
  #pesTicks = 0;
  #ended = false;

  /**
   * @param options.stamp tells this stream's segments from those of an earlier one of the same name
   * @param options.firstSequence of its segments; higher than any of an earlier stream of the same name
   */
  constructor(options: { vibeId: string; stamp: string; firstSequence: number; clock: Clock }) {
    this.#name = `${options.vibeId}-${options.stamp}`;
    this.#nextSequence = options.firstSequence;
    this.#clock = options.clock;
  }

  /** The number that the next segment will have. */
  get nextSequence(): number {
    return this.#nextSequence;
  }

  /** How the frames that follow are to be decoded. A change closes the segment and is marked in the playlist. */
  setConfig(config: AacConfig): void {
    if (this.#config) {
      this.#closeSegment();
      this.#changed = true;
    }
    this.#config = config;
  }

  /**
   * @param raw one AAC frame
   * @param ticks when it begins, in 90 kHz ticks
   */
  add(raw: Buffer, ticks: number): void {
    const config = this.#config;
    if (!config || this.#ended) return;
    const frameSeconds = config.frameSamples / config.sampleRate;
    const segment = (this.#open ??= this.#openSegment());
    if (this.#pes.length === 0) this.#pesTicks = ticks;
    this.#pes.push(adtsFrame(raw, config.adts));
    segment.frames += 1;
    segment.seconds = segment.frames * frameSeconds;
    if (segment.seconds + frameSeconds > TARGET_SECONDS) this.#closeSegment();
    else if (this.#pes.length === FRAMES_PER_PES) this.#flushPes(segment);
  }

  /** The stream is over: what is left becomes the last, short segment. */
  end(): void {
    this.#closeSegment();
    this.#ended = true;
    this.#ready.release();
  }

  /** Resolves with whether there is a playlist, as soon as there is one, or after `limitMs`. */
  async whenReady(limitMs: number): Promise<boolean> {
    if (this.#segments.length > 0) return true;
    if (this.#ended) return false;
    return (await this.#ready.wait(this.#clock, limitMs)) ?? false;
  }

  /** The playlist as it is now; `undefined` before the first segment. */
  playlist(): string | undefined {
    const first = this.#segments.at(-WINDOW_SEGMENTS) ?? this.#segments[0];
    if (!first) return undefined;
    const window = this.#segments.filter((segment) => segment.sequence >= first.sequence);
    const gone = this.#discontinuities - window.filter((segment) => segment.discontinuity).length;
    return [
      '#EXTM3U',
      '#EXT-X-VERSION:3',
      `#EXT-X-TARGETDURATION:${TARGET_SECONDS}`,
      `#EXT-X-MEDIA-SEQUENCE:${first.sequence}`,
      ...(this.#discontinuities > 0 ? [`#EXT-X-DISCONTINUITY-SEQUENCE:${gone}`] : []),
      '#EXT-X-INDEPENDENT-SEGMENTS',
      ...window.flatMap((segment) => [
        ...(segment.discontinuity ? ['#EXT-X-DISCONTINUITY'] : []),
        `#EXT-X-PROGRAM-DATE-TIME:${new Date(segment.startedEpochMs).toISOString()}`,
        `#EXTINF:${segment.seconds.toFixed(6)},`,
        segment.name,
      ]),
      ...(this.#ended ? ['#EXT-X-ENDLIST'] : []),
      '',
    ].join('\n');
  }

  /** A segment's bytes by its file name; `undefined` where it never was or has expired. */
  segment(name: string): Buffer | undefined {
    return this.#segments.find((segment) => segment.name === name)?.bytes;
  }

  #openSegment(): OpenSegment {
    const discontinuity = this.#changed;
    this.#changed = false;
    if (discontinuity) this.#discontinuities += 1;
    const startedEpochMs = this.#clock.epochMs();
    return { startedEpochMs, discontinuity, parts: [this.#muxer.tables()], frames: 0, seconds: 0 };
  }

  #flushPes(segment: OpenSegment): void {
    if (this.#pes.length === 0) return;
    segment.parts.push(this.#muxer.pes(Buffer.concat(this.#pes), this.#pesTicks));
    this.#pes = [];
  }

  #closeSegment(): void {
    const open = this.#open;
    if (!open) return;
    this.#flushPes(open);
    this.#open = undefined;
    const sequence = this.#nextSequence;
    this.#nextSequence += 1;
    this.#segments.push({
      name: `${this.#name}-${sequence}.ts`,
      sequence,
      seconds: open.seconds,
      startedEpochMs: open.startedEpochMs,
      discontinuity: open.discontinuity,
      bytes: Buffer.concat(open.parts),
    });
    if (this.#segments.length > WINDOW_SEGMENTS + EXPIRED_SEGMENTS) this.#segments.shift();
    this.#ready.resolve(true);
  }
}
