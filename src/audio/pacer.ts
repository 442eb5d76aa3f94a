import { DriftFollower } from './drift';
import { Fader } from './fade';
import type { JitterBuffer } from './jitter-buffer';
import { joined, type PcmFormat, sampleBytes, silence } from './pcm';
import { StallWatch } from './stall-watch';

/** Where the samples go: an encoder's stdin. */
export interface PacerSink {
  /** Whether `write` may be called now. */
  readonly writable: boolean;
  write(bytes: Buffer): void;
}

/**
 * `waiting`: nothing has come yet, nothing goes out. `prebuffering`: audio has come and is held for the first time.
 * `flowing`: the creator's samples go out. `filling`: silence goes out.
 */
export type PacerPhase = 'waiting' | 'prebuffering' | 'flowing' | 'filling';

export interface PacerEvents {
  phase(phase: PacerPhase, cause: string): void;
  /** Samples that were handed over, in order. */
  played(bytes: Buffer, kind: 'audio' | 'silence'): void;
  /** The creator's last sample has gone out after `finish()`. */
  finished(): void;
}

export interface PacerOptions {
  /** What lies in the buffer: little-endian. */
  readonly format: PcmFormat;
  readonly buffer: JitterBuffer;
  readonly sink: PacerSink;
  readonly prebufferMs: number;
  /** `filling` where silence goes out from the beginning: listeners wait for a creator who was here before. */
  readonly begin?: 'waiting' | 'filling';
  readonly events: PacerEvents;
}

/** One AAC frame at 48 kHz. */
const FRAME_MS = 1024 / 48;
/**
 * Audio goes out this much before its time: two AAC frames. A 20 ms chunk that comes when it should passes in one
 * piece, as it would straight into FFmpeg, and so does one that comes up to 22 ms early because the first was late.
 */
const LEAD_MS = 2 * FRAME_MS;
/**
 * Audio may be this late before silence replaces it. A player that buffers this much hears nothing of it, and one that
 * does not hears a pause either way; but silence once inserted stays in everybody's ear and on everybody's timeline.
 */
const SLACK_MS = 40;
/** At most this much is handed over in one write: 8 AAC frames, half a pipe at 48 kHz stereo s16. */
const MAX_WRITE_MS = 8 * FRAME_MS;
/**
 * After an underrun audio is held for this part of the creator's chunk length, where that is longer than the
 * prebuffer: who sends 2 s at a time is late by tenths of seconds, who sends 20 ms by milliseconds.
 */
const JITTER_PART_OF_CHUNK = 1 / 3;
/** A creator that is late by more than this, or by more than a whole chunk, was away: that says nothing about jitter. */
const AWAY_MS = 1_000;

/**
 * Empties the jitter buffer by the clock: time is the monotonic clock times the sample rate. What is due goes out at
 * once, what is early waits, and where nothing is there silence goes out in whole AAC frames.
 *
 * Accepted samples go out untouched. The fades at the edges of silence lie in the silence: the neighbouring 5 ms
 * mirrored, falling to zero after the last sample, rising from zero before the next one.
 */
export class Pacer {
  readonly #options: PacerOptions;
  readonly #buffer: JitterBuffer;
  readonly #sink: PacerSink;
  readonly #events: PacerEvents;
  readonly #bytes: number;
  readonly #frame: number;
  readonly #fader: Fader;
  readonly #drift = new DriftFollower();
  readonly #stalls = new StallWatch();

  #phase: PacerPhase;
  #finishing = false;
  #finished = false;
  /** The play clock stood at `#anchorSamples` when it was `#anchorMs`; it runs at `#samplesPerMs`. */
  #anchorMs = 0;
  #anchorSamples = 0;
  #samplesPerMs: number;
  /** Samples handed over since the start, silence included. */
  #sent = 0;
  /** Samples of audio that have come since the start. */
  #arrived = 0;
  /** When the audio that is held may begin to flow. */
  #flowAtMs: number | undefined;
  #underrunAtMs = 0;
  /** Only a tick can tell that there is no audio, and only where there was no stall. */
  #mayUnderrun = false;
  /** Lengths of the latest chunks. */
  readonly #chunkMs: number[] = [];
  /** Shifts the point at which a whole frame is due away from the moment of the tick. */
  #bias = 0;
  /** Where the encoder began to count frames. */
  #gridStart = 0;

  constructor(options: PacerOptions) {
    this.#options = options;
    this.#buffer = options.buffer;
    this.#sink = options.sink;
    this.#events = options.events;
    this.#phase = options.begin ?? 'waiting';
    this.#bytes = sampleBytes(options.format);
    this.#frame = Math.round((options.format.sampleRate * 1024) / 48_000);
    this.#samplesPerMs = options.format.sampleRate / 1000;
    this.#fader = new Fader(options.format, this.#frame);
  }

  get phase(): PacerPhase {
    return this.#phase;
  }

  /** How much faster than nominal the creator's clock is followed, in parts per million. */
  get driftPpm(): number {
    return this.#drift.ppm;
  }

  /**
   * Tells that a chunk was put into the buffer, and lets go what is due.
   * @param arrivedMs when it came in, monotonic
   * @param samples how long it is
   */
  arrived(arrivedMs: number, nowMs: number, samples: number): void {
    this.#noteArrival(arrivedMs, samples);
    if (this.#flowAtMs === undefined && this.#phase !== 'flowing') {
      this.#flowAtMs = arrivedMs + this.#holdMs(arrivedMs);
      if (this.#phase === 'waiting') this.#enter('prebuffering', 'audio');
    }
    this.service(nowMs);
  }

  /** Hands over what is due, once a tick. */
  tick(nowMs: number): void {
    this.#mayUnderrun = this.#stalls.tick(nowMs);
    if (this.#phase === 'flowing') this.#keepOffTheEdge(nowMs);
    this.service(nowMs);
    this.#mayUnderrun = false;
  }

  /** A new encoder begins to read: it counts its frames from here, less the samples that it is fed again before. */
  newLife(replayed = 0): void {
    this.#gridStart = this.#sent - replayed;
  }

  /** Hands over what is due: when a chunk came, and when the sink can take more. */
  service(nowMs: number): void {
    if (this.#phase === 'waiting') {
      if (this.#finishing) this.#finish();
      return;
    }
    // The lead lets the first audio go out early: better than a tick too late.
    if (this.#phase === 'prebuffering' && this.#sink.writable && this.#mayFlow(nowMs + FRAME_MS)) {
      this.#anchor(this.#finishing ? nowMs : (this.#flowAtMs as number), 0);
      this.#flow('prebuffered');
    }
    if (this.#phase === 'flowing') this.#playAudio(nowMs);
    if (this.#phase === 'filling') this.#playSilence(nowMs);
  }

  /** No more audio will come: plays what is held, then says `finished`. */
  finish(nowMs: number): void {
    this.#finishing = true;
    this.service(nowMs);
  }

  #noteArrival(arrivedMs: number, samples: number): void {
    const rate = this.#options.format.sampleRate;
    if (this.#chunkMs.push((samples * 1000) / rate) > 8) this.#chunkMs.shift();
    if (this.#phase === 'flowing') {
      const headroom = this.#buffer.samples - samples + this.#sent - this.#clock(arrivedMs);
      this.#drift.arrival(arrivedMs, (this.#arrived * 1000) / rate, (headroom * 1000) / rate);
      this.#setRate(arrivedMs, (rate / 1000) * (1 + this.#drift.ppm / 1e6));
    }
    this.#arrived += samples;
  }

  /** How long the first audio after a pause is held. */
  #holdMs(nowMs: number): number {
    if (this.#phase !== 'filling') return this.#options.prebufferMs;
    const chunkMs = Math.max(...this.#chunkMs);
    const wasAway = nowMs - this.#underrunAtMs > Math.max(AWAY_MS, chunkMs);
    return wasAway
      ? this.#options.prebufferMs
      : Math.max(this.#options.prebufferMs, chunkMs * JITTER_PART_OF_CHUNK);
  }

  #mayFlow(nowMs: number): boolean {
    return this.#flowAtMs !== undefined && (nowMs >= this.#flowAtMs || this.#finishing);
  }

  #flow(cause: string): void {
    this.#flowAtMs = undefined;
    this.#drift.reset();
    this.#enter('flowing', cause);
  }

  #playAudio(nowMs: number): void {
    while (this.#sink.writable && this.#buffer.readySamples > 0) {
      const samples = this.#dueSamples(nowMs);
      if (samples <= 0) return;
      this.#hand(joined(this.#buffer.take(samples)), 'audio');
    }
    if (this.#buffer.readySamples > 0) return;
    if (this.#finishing && !this.#buffer.hasGap) return this.#finish();
    const isLate = this.#clock(nowMs) - this.#sent > SLACK_MS * this.#samplesPerMs;
    if (!this.#finishing && !(this.#mayUnderrun && isLate)) return;
    this.#buffer.skipGap();
    if (this.#buffer.readySamples > 0) return this.#playAudio(nowMs);
    this.#underrunAtMs = nowMs;
    this.#forgive(nowMs);
    this.#enter('filling', 'underrun');
    if (!this.#sink.writable) return;
    this.#hand(this.#fader.out(), 'silence');
  }

  /** What may go out now. While more is held than is due, whole AAC frames (FFmpeg reads no less); the bias is theirs alone. */
  #dueSamples(nowMs: number): number {
    const max = Math.floor(MAX_WRITE_MS * this.#samplesPerMs);
    const due = Math.floor(this.#clock(nowMs) + LEAD_MS * this.#samplesPerMs - this.#sent);
    const ready = this.#buffer.readySamples;
    if (ready <= due) return Math.min(ready, max);
    const end = this.#sent + Math.min(due + this.#bias, max);
    return Math.floor((end - this.#gridStart) / this.#frame) * this.#frame + this.#gridStart - this.#sent;
  }

  /** A tick that comes just when a frame falls due would find none now and two the next time: moves the due point. */
  #keepOffTheEdge(nowMs: number): void {
    const due = this.#clock(nowMs) + LEAD_MS * this.#samplesPerMs + this.#bias - this.#gridStart;
    const part = due / this.#frame - Math.floor(due / this.#frame);
    if (part > 0.15 && part < 0.85) return;
    const bias = this.#bias + (0.5 - part) * this.#frame;
    if (Math.abs(bias) <= this.#frame / 2) this.#bias = bias;
  }

  #playSilence(nowMs: number): void {
    if (this.#finishing && this.#buffer.samples === 0) return this.#finish();
    this.#forgive(nowMs);
    if (!this.#sink.writable) return;
    const flowsWithinFrame = this.#flowAtMs !== undefined && this.#mayFlow(nowMs + FRAME_MS);
    if (flowsWithinFrame && (this.#mayFlow(nowMs) || this.#sent < this.#clock(nowMs))) {
      if (this.#buffer.readySamples === 0) this.#buffer.skipGap();
      this.#hand(this.#fader.into(this.#buffer.peek(this.#fader.samples)), 'silence');
      // Held as the first audio is, and with the same lead before it, whatever silence is ahead of the clock.
      const fromMs = this.#finishing ? nowMs : Math.max(nowMs, this.#flowAtMs as number);
      if (this.#clock(fromMs) < this.#sent) this.#anchor(fromMs, this.#sent);
      this.#flow('audio');
      return this.#playAudio(nowMs);
    }
    while (this.#sent < this.#clock(nowMs) && this.#sink.writable) {
      this.#hand(silence(this.#frame, this.#options.format), 'silence');
    }
  }

  /** Silence that nobody could take, or a lump of it after a stall, would only put the next audio behind: not owed. */
  #forgive(nowMs: number): void {
    const owedMs = this.#sink.writable ? MAX_WRITE_MS : 0;
    if (this.#clock(nowMs) - this.#sent > owedMs * this.#samplesPerMs) this.#anchor(nowMs, this.#sent);
  }

  #hand(bytes: Buffer, kind: 'audio' | 'silence'): void {
    this.#sink.write(bytes);
    this.#sent += bytes.length / this.#bytes;
    this.#fader.heard(bytes);
    this.#events.played(bytes, kind);
  }

  #finish(): void {
    if (this.#finished) return;
    this.#finished = true;
    this.#events.finished();
  }

  #clock(nowMs: number): number {
    return this.#anchorSamples + (nowMs - this.#anchorMs) * this.#samplesPerMs;
  }

  #anchor(nowMs: number, samples: number): void {
    this.#anchorMs = nowMs;
    this.#anchorSamples = samples;
  }

  #setRate(nowMs: number, samplesPerMs: number): void {
    if (samplesPerMs === this.#samplesPerMs) return;
    this.#anchor(nowMs, this.#clock(nowMs));
    this.#samplesPerMs = samplesPerMs;
  }

  #enter(phase: PacerPhase, cause: string): void {
    this.#phase = phase;
    this.#events.phase(phase, cause);
  }
}
