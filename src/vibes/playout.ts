import { type Level, LevelMeter, type Signal } from '../audio/level';
import { JitterBuffer, type PlayPosition, type Taken } from '../audio/jitter-buffer';
import { Pacer, type PacerPhase } from '../audio/pacer';
import { littleEndian, type PcmFormat, sampleBytes, toLittleEndian } from '../audio/pcm';
import { Tail } from '../audio/tail';
import type { Ticker } from '../audio/ticker';
import { type Clock, settlesWithin } from '../base/clock';
import { once } from '../base/closer';
import { Problem } from '../base/errors';
import type { Metrics } from '../base/metrics';
import type { Encoder, EncoderExit } from '../encoder/encoder';
import type { PublishEnd } from '../media-server/media-server';
import { Succession } from './succession';

export interface PlayoutEvents {
  phase(phase: PacerPhase, cause: string): void;
  level(level: Level): void;
  /** Samples that an encoder was fed and never published. */
  lost(samples: number, exit: EncoderExit): void;
}

export interface PlayoutOptions {
  /** As the creator sends it. */
  readonly format: PcmFormat;
  readonly maxBufferSeconds: number;
  readonly prebufferMs: number;
  /** How far a daemon that died had played it: silence goes out at once, until the creator is back. */
  readonly resumeAt?: PlayPosition | undefined;
  /** Silence behind the last sample of what is played out, for the media server. */
  readonly tailMs: number;
  /** Takes the same samples in little-endian order; started already. The playout ends it. */
  readonly encoder: Encoder;
  readonly clock: Clock;
  readonly ticker: Ticker;
  readonly metrics: Metrics;
  readonly events: PlayoutEvents;
}

/** However much fits into the time, no more bytes than this: 5.5 s of the largest format, 5 minutes of Lyria's. */
const MAX_BUFFER_BYTES = 64 * 1024 * 1024;
/** When a tail is played out, the encoder may be down for this long before the rest is given up. */
const DRAIN_GRACE_MS = 10_000;

interface Waiter {
  readonly samples: number;
  resolve(): void;
  reject(problem: Problem): void;
}

/** A vibe's media while it is on air: jitter buffer, pacer, meter and the ledger of losses, in front of its encoder. */
export class Playout {
  readonly format: PcmFormat;
  readonly encoder: Encoder;
  readonly #options: PlayoutOptions;
  readonly #buffer: JitterBuffer;
  readonly #pacer: Pacer;
  readonly #meter: LevelMeter;
  readonly #succession: Succession;
  readonly #sampleBytes: number;
  readonly #leaveTicker: () => void;
  readonly #finished: Promise<void>;
  #onFinished!: () => void;
  #tail: Tail | undefined;
  /** Goes on when the next encoder was fed what the last one left. */
  #afterwards: (() => void) | undefined;
  #waiters: Waiter[] = [];
  #silenceSamples = 0;

  constructor(options: PlayoutOptions) {
    const { format, clock, metrics, encoder, events } = options;
    this.format = format;
    this.encoder = encoder;
    this.#options = options;
    this.#sampleBytes = sampleBytes(format);
    const pipeFormat = littleEndian(format);
    this.#finished = new Promise((resolve) => (this.#onFinished = resolve));
    this.#buffer = new JitterBuffer({
      sampleBytes: this.#sampleBytes,
      sampleRate: format.sampleRate,
      maxSamples: Math.min(
        options.maxBufferSeconds * format.sampleRate,
        Math.floor(MAX_BUFFER_BYTES / this.#sampleBytes),
      ),
      onMissing: (chunks) => metrics.chunksMissing.inc(chunks),
      ...(options.resumeAt && { resumeAt: options.resumeAt }),
    });
    this.#meter = new LevelMeter(pipeFormat, (level) => events.level(level));
    this.#succession = new Succession({
      ...{ sampleBytes: this.#sampleBytes, sampleRate: format.sampleRate, clock },
      onLost: (samples, exit) => {
        metrics.samplesLost.inc({ reason: exit.reason }, samples);
        events.lost(samples, exit);
      },
    });
    if (encoder.token !== undefined) this.#succession.begins(encoder.token);
    this.#pacer = new Pacer({
      format: pipeFormat,
      buffer: this.#buffer,
      sink: encoder,
      prebufferMs: options.prebufferMs,
      begin: options.resumeAt ? 'filling' : 'waiting',
      events: {
        phase: (phase, cause) => this.#onPhase(phase, cause),
        played: (bytes, kind) => this.#onPlayed(bytes, kind),
        finished: () => this.#whenNothingIsOwed(() => this.#playTail()),
      },
    });
    encoder.on('writable', this.#onWritable);
    encoder.on('state', this.#onEncoderState);
    encoder.on('exit', this.#onEncoderExit);
    this.#leaveTicker = options.ticker.join((nowMs) => (this.#tail ?? this.#pacer).tick(nowMs));
  }

  /** Milliseconds of audio held. */
  get bufferedMs(): number {
    return this.#buffer.bufferedMs;
  }

  get bufferedSamples(): number {
    return this.#buffer.samples;
  }

  get roomSamples(): number {
    return this.#buffer.roomSamples;
  }

  get lastSequence(): number {
    return this.#buffer.lastSequence;
  }

  get position(): PlayPosition {
    return this.#buffer.position;
  }

  get driftPpm(): number {
    return this.#pacer.driftPpm;
  }

  /** Samples of silence that were handed to encoders. */
  get silenceSamples(): number {
    return this.#silenceSamples;
  }

  /** How the creator's signal sounds, while it is on air. */
  get signal(): Exclude<Signal, 'filling'> {
    return this.#meter.signal;
  }

  /**
   * Takes a chunk, whole or not at all.
   * @param bytes whole samples in the creator's byte order
   * @throws {Problem} of the jitter buffer
   */
  push(bytes: Buffer, sequence: number | undefined, arrivedMs: number): Taken {
    const taken = this.#buffer.push(toLittleEndian(bytes, this.format), sequence);
    if (taken === 'duplicate') return taken;
    const samples = bytes.length / this.#sampleBytes;
    this.#options.metrics.samplesAccepted.inc(samples);
    this.#pacer.arrived(arrivedMs, this.#options.clock.nowMs(), samples);
    return taken;
  }

  /** The creator begins to number its chunks anew. */
  restartNumbering(): void {
    this.#buffer.restartNumbering();
  }

  /** Resolves when that many samples fit; rejects when the vibe stops taking audio. */
  whenRoom(samples: number): Promise<void> {
    if (samples <= this.roomSamples) return Promise.resolve();
    return new Promise((resolve, reject) => this.#waiters.push({ samples, resolve, reject }));
  }

  /** Tells what the media server has so far of the present life of the encoder. */
  received(soFar: PublishEnd): void {
    this.#succession.received(soFar);
  }

  /** Tells what the media server saw of one of the encoder's lives. */
  unpublished(end: PublishEnd): void {
    this.#succession.unpublished(end);
  }

  /** Plays out what is held, then ends the encoder. Takes no more audio from now on. */
  readonly drain = once(async () => {
    this.#turnAwayWaiters();
    this.#pacer.finish(this.#options.clock.nowMs());
    await settlesWithin(this.#options.clock, this.bufferedMs + DRAIN_GRACE_MS, this.#finished);
    await this.close('not-played-in-time');
  });

  /** Ends the encoder now; what is held is thrown away and counted with `reason`. Idempotent. */
  async close(reason: string): Promise<void> {
    this.#turnAwayWaiters();
    this.#onFinished();
    this.#leaveTicker();
    this.#succession.stop();
    const discarded = this.#buffer.clear();
    if (discarded > 0) this.#options.metrics.samplesDiscarded.inc({ reason }, discarded);
    await this.encoder.end();
    this.encoder.off('writable', this.#onWritable);
    this.encoder.off('state', this.#onEncoderState);
    this.encoder.off('exit', this.#onEncoderExit);
    await this.#succession.close();
  }

  #playTail(): void {
    const { tailMs, clock, encoder } = this.#options;
    if (tailMs === 0) return this.#onFinished();
    this.#tail = new Tail({
      ...{ tailMs, nowMs: clock.nowMs(), format: littleEndian(this.format), sink: encoder },
      played: (bytes) => this.#onPlayed(bytes, 'silence'),
      finished: () => this.#whenNothingIsOwed(this.#onFinished),
    });
  }

  /** Plays out what a dead encoder left before whatever comes last. */
  #whenNothingIsOwed(goOn: () => void): void {
    if (this.#succession.isOpen) this.#afterwards = goOn;
    else goOn();
  }

  readonly #onWritable = (): void => {
    this.#payOwed();
    this.#pacer.service(this.#options.clock.nowMs());
    const goOn = this.#afterwards;
    this.#afterwards = undefined;
    goOn?.();
  };

  #payOwed(): void {
    const owed = this.#succession.take();
    if (!owed) return;
    this.encoder.write(owed);
    this.#options.metrics.samplesReplayed.inc(owed.length / this.#sampleBytes);
  }

  readonly #onEncoderState = (move: { to: string }): void => {
    const { token } = this.encoder;
    if (move.to === 'starting' && token !== undefined) this.#pacer.newLife(this.#succession.begins(token));
  };

  readonly #onEncoderExit = (exit: EncoderExit): void => this.#succession.exited(exit);

  #onPhase(phase: PacerPhase, cause: string): void {
    if (phase === 'filling') this.#options.metrics.underruns.inc();
    this.#options.events.phase(phase, cause);
  }

  #onPlayed(bytes: Buffer, kind: 'audio' | 'silence'): void {
    const samples = bytes.length / this.#sampleBytes;
    const { metrics } = this.#options;
    this.#succession.fed(bytes);
    (kind === 'audio' ? metrics.samplesPlayed : metrics.samplesSilence).inc(samples);
    if (kind === 'silence') this.#silenceSamples += samples;
    this.#meter.measure(bytes);
    if (this.#waiters.length > 0) this.#admitWaiters();
  }

  #admitWaiters(): void {
    let room = this.roomSamples;
    while (this.#waiters[0] && this.#waiters[0].samples <= room) {
      const waiter = this.#waiters.shift() as Waiter;
      room -= waiter.samples;
      waiter.resolve();
    }
  }

  #turnAwayWaiters(): void {
    const waiters = this.#waiters;
    this.#waiters = [];
    for (const waiter of waiters) waiter.reject(new Problem('vibe-ending', 'The vibe takes no more audio.'));
  }
}
