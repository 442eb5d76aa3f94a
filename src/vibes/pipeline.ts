import type { PlayPosition } from '../audio/jitter-buffer';
import type { Level, Signal } from '../audio/level';
import { DEFAULT_FORMAT, describeFormat, littleEndian, type PcmFormat, sameFormat } from '../audio/pcm';
import type { PacerPhase } from '../audio/pacer';
import type { Ticker } from '../audio/ticker';
import type { Clock } from '../base/clock';
import type { Config } from '../base/config';
import { Problem } from '../base/errors';
import type { Metrics } from '../base/metrics';
import type { Encoder, EncoderExit, EncoderOptions } from '../encoder/encoder';
import type { MediaServer, PublishEnd } from '../media-server/media-server';
import { Playout } from './playout';

/** What a pipeline needs of the house. */
export interface PipelineHouse {
  readonly config: Pick<Config, 'maxBufferSeconds' | 'prebufferMs'>;
  readonly clock: Clock;
  readonly ticker: Ticker;
  readonly metrics: Metrics;
  readonly mediaServer: Pick<MediaServer, 'tailMs'>;
  createEncoder(options: EncoderOptions): Encoder;
}

export interface PipelineEvents {
  phase(phase: PacerPhase, cause: string): void;
  level(level: Level): void;
  /** Samples that an encoder was fed and never published. */
  lost(samples: number, exit: EncoderExit): void;
  encoder(move: { from: string; to: string; cause: string }, encoder: Encoder): void;
}

/** What a door says of a chunk. */
export interface PushOptions {
  /** The chunk's number, where it has one. */
  readonly sequence?: number;
  /** For the metrics. */
  readonly door: string;
  /** When it came in, monotonic milliseconds; now, where left out. */
  readonly arrivedMs?: number;
}

/** What a door gets back for a chunk. */
export interface Receipt {
  /** Bytes taken; 0 for a duplicate. */
  readonly accepted: number;
  readonly duplicate: boolean;
  readonly bufferedMs: number;
  /** The last number taken in turn, or the count of chunks. */
  readonly sequence: number;
}

/** What is still told of an encoder that is gone. */
export type EncoderFacts = Pick<Encoder, 'state' | 'restarts' | 'lastExit' | 'pid'>;

type PlayoutFacts = Pick<Playout, 'format' | 'lastSequence' | 'position' | 'driftPpm' | 'silenceSamples'>;

/** A vibe's media: one encoder, and in front of it, once the creator's format is known, the playout. */
export class Pipeline {
  readonly #vibeId: string;
  readonly #house: PipelineHouse;
  readonly #events: PipelineEvents;
  #encoder: Encoder | undefined;
  #playout: Playout | undefined;
  /** Told of both when they are over and let go. */
  #remains: { encoder: EncoderFacts | undefined; playout: PlayoutFacts | undefined } | undefined;
  #level: Level | undefined;
  #lostSamples = 0;
  #closed = false;

  constructor(vibeId: string, house: PipelineHouse, events: PipelineEvents) {
    this.#vibeId = vibeId;
    this.#house = house;
    this.#events = events;
  }

  get encoder(): EncoderFacts | undefined {
    return this.#encoder ?? this.#remains?.encoder;
  }

  /** As the creator sends it; unknown before the first chunk. */
  get format(): PcmFormat | undefined {
    return this.#facts?.format;
  }

  /** Milliseconds of audio held. */
  get bufferedMs(): number {
    return Math.round(this.#playout?.bufferedMs ?? 0);
  }

  /** The last number taken in turn, or the count of chunks where they carry none. */
  get lastSequence(): number {
    return this.#facts?.lastSequence ?? 0;
  }

  /** How far the creator's chunks have been played; nothing where none has come. */
  get position(): PlayPosition | undefined {
    return this.#facts?.position;
  }

  /** How much faster than ours the creator's clock runs, in parts per million; 0 until proven. */
  get driftPpm(): number {
    return Math.round(this.#facts?.driftPpm ?? 0);
  }

  /** Samples of silence that stood in for the creator. */
  get silenceSamples(): number {
    return this.#facts?.silenceSamples ?? 0;
  }

  /** Samples that encoders were fed and never published. */
  get lostSamples(): number {
    return this.#lostSamples;
  }

  /** The latest tenth of a second. */
  get level(): Level | undefined {
    return this.#level;
  }

  /** How what goes out sounds; nothing where nothing does. */
  get signal(): Exclude<Signal, 'filling'> | undefined {
    return this.#playout?.signal;
  }

  /** Starts an encoder before the first chunk, for the format that most creators send: audio is then heard sooner. */
  warmUp(): void {
    if (!this.#closed) this.#encoder ??= this.#startEncoder(DEFAULT_FORMAT);
  }

  /** @throws {Problem} `format-changed` (409) unless it is the format of what came before, or nothing came before */
  checkFormat(format: PcmFormat): void {
    if (!this.format || sameFormat(this.format, format)) return;
    throw new Problem(
      'format-changed',
      `This vibe is sent in ${describeFormat(this.format)}; it cannot change to ${describeFormat(format)}.`,
    );
  }

  /**
   * Fixes the format for the vibe's life.
   * @param resumeAt how far a daemon that died had played it; silence goes out from now on
   * @throws {Problem} as `checkFormat`
   */
  declare(format: PcmFormat, resumeAt?: PlayPosition): void {
    this.checkFormat(format);
    if (this.#playout || this.#closed) return;
    const { clock, ticker, metrics, config, mediaServer } = this.#house;
    const cold = this.#encoder;
    const isWarm = cold !== undefined && sameFormat(littleEndian(format), DEFAULT_FORMAT);
    this.#encoder = isWarm ? cold : this.#startEncoder(format);
    if (cold && !isWarm) void cold.close();
    this.#playout = new Playout({
      format,
      maxBufferSeconds: config.maxBufferSeconds,
      prebufferMs: config.prebufferMs,
      resumeAt,
      tailMs: mediaServer.tailMs,
      encoder: this.#encoder,
      clock,
      ticker,
      metrics,
      events: {
        phase: this.#events.phase,
        level: (level) => {
          this.#level = level;
          this.#events.level(level);
        },
        lost: (samples, exit) => {
          this.#lostSamples += samples;
          this.#events.lost(samples, exit);
        },
      },
    });
  }

  /**
   * Takes a chunk of the declared format, whole or not at all.
   * @throws {Problem} of the jitter buffer
   */
  push(bytes: Buffer, options: PushOptions): Receipt {
    const { clock, metrics } = this.#house;
    const { door, sequence, arrivedMs = clock.nowMs() } = options;
    const playout = this.#playout as Playout;
    metrics.bufferedOnArrival.observe(playout.bufferedMs / 1000);
    try {
      const result = playout.push(bytes, sequence, arrivedMs);
      const accepted = result === 'taken' ? bytes.length : 0;
      if (result === 'taken') metrics.taken.count(door, accepted);
      else metrics.ingestChunks.inc({ door, result });
      const { bufferedMs, lastSequence } = this;
      return { accepted, duplicate: result === 'duplicate', bufferedMs, sequence: lastSequence };
    } catch (error) {
      metrics.ingestChunks.inc({ door, result: error instanceof Problem ? error.code : 'error' });
      throw error;
    }
  }

  /** The creator begins to number its chunks anew. */
  restartNumbering(): void {
    this.#playout?.restartNumbering();
  }

  /** Whether that many samples fit now. */
  hasRoom(samples: number): boolean {
    return this.#playout !== undefined && samples <= this.#playout.roomSamples;
  }

  /** Resolves when that many samples fit; rejects with a `Problem` when the pipeline closes. */
  async whenRoom(samples: number): Promise<void> {
    await this.#playout?.whenRoom(samples);
  }

  /** Tells what the media server has so far of the present life of the encoder. */
  received(soFar: PublishEnd): void {
    this.#playout?.received(soFar);
  }

  /** Tells what the media server saw of one of the encoder's lives. */
  unpublished(end: PublishEnd): void {
    this.#playout?.unpublished(end);
  }

  /** Plays out what is held, then ends the encoder. */
  async drain(): Promise<void> {
    this.#closed = true;
    if (this.#playout) await this.#playout.drain();
    else await this.#encoder?.close();
    this.#letGo();
  }

  /** Ends the encoder now; what is held is thrown away and counted with `reason`. Idempotent. */
  async close(reason: string): Promise<void> {
    this.#closed = true;
    if (this.#playout) await this.#playout.close(reason);
    else await this.#encoder?.close();
    this.#letGo();
  }

  get #facts(): PlayoutFacts | undefined {
    return this.#playout ?? this.#remains?.playout;
  }

  /** A vibe is remembered for minutes after its end: without what it was heard by, some 60 kB. */
  #letGo(): void {
    const [encoder, playout] = [this.#encoder, this.#playout];
    this.#encoder = this.#playout = undefined;
    this.#remains ??= {
      encoder: encoder && {
        ...{ state: encoder.state, restarts: encoder.restarts, lastExit: encoder.lastExit, pid: encoder.pid },
      },
      playout: playout && {
        ...{ format: playout.format, lastSequence: playout.lastSequence, position: playout.position },
        ...{ driftPpm: playout.driftPpm, silenceSamples: playout.silenceSamples },
      },
    };
  }

  #startEncoder(format: PcmFormat): Encoder {
    const encoder = this.#house.createEncoder({ vibeId: this.#vibeId, format: littleEndian(format) });
    encoder.on('state', (move) => {
      if (encoder === this.#encoder) this.#events.encoder(move, encoder);
    });
    encoder.start();
    return encoder;
  }
}

/** A pipeline without what changes it: that is its vibe's to do. */
export type PipelineView = Omit<
  Pipeline,
  'push' | 'declare' | 'drain' | 'close' | 'warmUp' | 'received' | 'unpublished'
>;
