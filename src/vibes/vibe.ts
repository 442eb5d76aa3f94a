import type { Level, Signal } from '../audio/level';
import type { PacerPhase } from '../audio/pacer';
import type { PcmFormat } from '../audio/pcm';
import type { Timer } from '../base/clock';
import { Problem } from '../base/errors';
import type { Logger } from '../base/logger';
import { type Move, StateMachine } from '../base/state';
import type { Encoder } from '../encoder/encoder';
import type { PublishEnd } from '../media-server/media-server';
import { CreatorSeat, type IngestConnection } from './creator-seat';
import { EncoderPatience } from './encoder-patience';
import { Ownership } from './ownership';
import { Participants } from './participants';
import { Pipeline, type PipelineView, type PushOptions, type Receipt } from './pipeline';
import { ticketsOf } from './play-tickets';
import { SilenceAlarm } from './silence-alarm';
import { type VibeEvent, VibeEventHub } from './vibe-events';
import { isOver, isStreaming, VIBE_STATES, type VibeState } from './vibe-state';
import type { VibeHouse, VibeOptions } from './vibe-house';
import type { PastVibe } from './vibe-record';

/** A vibe that never gets audio ends after this, or after `HOLD_SECONDS` where that is longer. */
const NEVER_FED_MS = 60_000;

/** One live stream: the room. Survives its creator's reconnects; its pipeline is the media while on air. */
export class Vibe {
  readonly id: string;
  readonly network: string | undefined;
  readonly title: string | undefined;
  /** Epoch milliseconds. */
  readonly startedAtMs: number;
  readonly ownership: Ownership;
  readonly participants: Participants;
  readonly #house: VibeHouse;
  readonly #logger: Logger;
  readonly #machine: StateMachine<VibeState>;
  readonly #pipeline: Pipeline;
  readonly #events: VibeEventHub;
  readonly #alarm: SilenceAlarm;
  readonly #patience: EncoderPatience;
  readonly #over: Promise<void>;
  readonly #onOver: (vibe: Vibe) => void;
  #settleOver!: () => void;
  readonly #seat = new CreatorSeat();
  #awayTimer: Timer | undefined;
  #hadAudio = false;
  #reason: string | undefined;

  constructor(options: VibeOptions, house: VibeHouse) {
    const { clock } = house;
    this.id = options.vibeId;
    this.network = options.network;
    this.title = options.title;
    this.startedAtMs = options.past?.startedAtMs ?? clock.epochMs();
    this.ownership = new Ownership({ ...options, keyHash: options.past?.keyHash });
    this.participants = new Participants({
      ...{ clock, leaseSeconds: house.config.leaseSeconds, tickets: ticketsOf(options, house) },
      onChange: () => this.countsChanged(),
      onLease: (participantId, untilMs) => house.recorder?.leased(this.id, participantId, untilMs),
    });
    this.#house = house;
    this.#logger = house.logger.child({ vibeId: this.id });
    this.#machine = new StateMachine('vibe', VIBE_STATES, 'starting', (move) => this.#onMove(move));
    this.#events = new VibeEventHub(() => clock.epochMs());
    this.#alarm = new SilenceAlarm(clock, (active, seconds) => this.#onSilence(active, seconds));
    this.#patience = new EncoderPatience(clock, (why) => this.#fail(`no encoder: ${why}`));
    this.#pipeline = new Pipeline(this.id, house, {
      phase: (phase, cause) => this.#onPhase(phase, cause),
      level: (level) => this.#onLevel(level),
      lost: (samples, { reason }) =>
        this.#logger.warn({ samples, reason }, 'an encoder died with samples that it had not published'),
      encoder: (move, encoder) => this.#onEncoder(move, encoder),
    });
    this.#onOver = options.onOver ?? (() => undefined);
    this.#over = new Promise((resolve) => (this.#settleOver = resolve));
    house.mediaServer.announce(this.id, this.ownership.isPrivate);
    house.metrics.vibesStarted.inc();
    house.recorder?.changed(this);
    const cause = options.past ? 'resumed' : 'start';
    this.#logger.info({ creator: options.creator, state: this.state, cause }, 'vibe starting');
    this.#endAfter(Math.max(NEVER_FED_MS, house.config.holdSeconds * 1000), 'never-fed');
  }

  get creator(): string | undefined {
    return this.ownership.creator;
  }

  get state(): VibeState {
    return this.#machine.state;
  }

  get isStreaming(): boolean {
    return isStreaming(this.state) && this.#hadAudio;
  }

  get isOver(): boolean {
    return isOver(this.state);
  }

  /** Why it failed. */
  get reason(): string | undefined {
    return this.#reason;
  }

  /** Its media, for status pages. Doors use the methods below. */
  get pipeline(): PipelineView {
    return this.#pipeline;
  }

  /** As the creator sends it; unknown before the first chunk. */
  get format(): PcmFormat | undefined {
    return this.#pipeline.format;
  }

  get bufferedMs(): number {
    return this.#pipeline.bufferedMs;
  }

  get lastSequence(): number {
    return this.#pipeline.lastSequence;
  }

  /** Players connected to the media server. */
  get listeners(): number {
    return this.#house.mediaServer.playersOf(this.id);
  }

  /** Whether silence of ours goes out, or how the creator's audio sounds. */
  get signal(): Signal {
    const isFed = this.state === 'live' || this.state === 'ending';
    return (isFed ? this.#pipeline.signal : undefined) ?? 'filling';
  }

  /** Starts an encoder before the first chunk. */
  warmUp(): void {
    this.#pipeline.warmUp();
  }

  /** Goes on where a daemon that died left off: what was on air is held, with silence, until its creator is back. */
  resume({ format, position, leases }: PastVibe): void {
    this.participants.restore(leases);
    if (format) this.#pipeline.declare(format, position);
    else this.#pipeline.warmUp();
    if (format && position) this.#machine.move('holding', 'resumed');
  }

  /** The creator starts over: it may number its chunks anew. */
  restartNumbering(): void {
    this.#pipeline.restartNumbering();
  }

  /** Fixes the format for the vibe's life. @throws {Problem} `format-changed` (409) where it is another already */
  declare(format: PcmFormat): void {
    const isNew = !this.format;
    this.#pipeline.declare(format);
    if (isNew) this.#house.recorder?.changed(this);
  }

  /**
   * Takes a chunk, whole or not at all.
   * @param bytes whole samples of the declared format, not changed afterwards
   * @throws {Problem} `buffer-full`, `too-late`, `sequence-conflict`, `vibe-ending`; nothing has changed then
   */
  push(bytes: Buffer, options: PushOptions): Receipt {
    this.#checkTakesAudio();
    return this.#pipeline.push(bytes, options);
  }

  /** Resolves when that much fits; rejects with a `Problem` when the vibe takes no more audio. */
  async whenRoom(samples: number): Promise<void> {
    this.#checkTakesAudio();
    await this.#pipeline.whenRoom(samples);
  }

  /** Makes a connection the one that feeds this vibe; an older one is superseded. @returns how to let go */
  takeOver(connection: IngestConnection): () => void {
    this.#checkTakesAudio();
    const { tookOver, leave } = this.#seat.take(connection);
    if (tookOver) {
      this.#house.metrics.takeovers.inc();
      this.#logger.info('a newer connection of the creator took over');
    }
    return leave;
  }

  /** Counts bytes that a creator announced or began and never sent whole. */
  countTruncated(bytes: number, door: string): void {
    this.#house.metrics.ingestTruncatedBytes.inc(bytes);
    this.#logger.warn({ bytes, door }, 'a creator’s body broke off');
  }

  /**
   * Ends the vibe: plays out what is held, or (`drain: false`) throws it away and counts it.
   * @returns when the encoder is gone and the state is `ended`
   */
  end(options: { drain: boolean; cause: string }): Promise<void> {
    if (this.isOver) return this.#over;
    const wasEnding = this.state === 'ending';
    this.#machine.move('ending', options.cause);
    if (!wasEnding) void this.#finish(options);
    else if (!options.drain) void this.#pipeline.close('ended-without-drain');
    return this.#over;
  }

  /** Tells what the media server has so far of the present life of the encoder. */
  received(soFar: PublishEnd): void {
    this.#pipeline.received(soFar);
  }

  /** Tells what the media server saw of one of the encoder's lives. */
  unpublished(end: PublishEnd): void {
    this.#pipeline.unpublished(end);
  }

  /** Tells subscribers of new counts. */
  countsChanged(): void {
    const { participants, listeners } = this;
    this.#events.emit(() => ({ type: 'counts', participantCount: participants.count, listeners }));
  }

  /** @returns how to unsubscribe */
  subscribe(listener: (event: VibeEvent) => void): () => void {
    return this.#events.subscribe(listener);
  }

  #checkTakesAudio(): void {
    if (this.state === 'failed') throw new Problem('vibe-failed', `This vibe failed: ${this.#reason}.`);
    if (this.isOver || this.state === 'ending')
      throw new Problem('vibe-ending', 'This vibe takes no more audio.');
  }

  async #finish({ drain, cause }: { drain: boolean; cause: string }): Promise<void> {
    const code = cause === 'creator-away' ? 'idle' : 'vibe-ending';
    this.#seat.clear(new Problem(code, `This vibe has ended (${cause}).`));
    if (drain) await this.#pipeline.drain();
    else await this.#pipeline.close('ended-without-drain');
    if (this.state === 'ending') this.#machine.move('ended', drain ? 'played-out' : 'cut-off');
  }

  #fail(reason: string): void {
    if (this.isOver) return;
    this.#reason = reason;
    this.#seat.clear(new Problem('vibe-failed', `This vibe failed: ${reason}.`));
    this.#machine.move('failed', reason);
    void this.#pipeline.close('vibe-failed');
  }

  #onPhase(phase: PacerPhase, cause: string): void {
    if (this.state === 'ending' || this.isOver) return;
    if (phase === 'prebuffering') this.#machine.move('buffering', cause);
    if (phase === 'flowing') this.#machine.move('live', cause);
    if (phase === 'filling') this.#machine.move('holding', cause);
  }

  #onMove({ from, to, cause }: Move<VibeState>): void {
    const facts = { from, state: to, cause, bufferedMs: this.bufferedMs, listeners: this.listeners };
    this.#hadAudio ||= to === 'buffering' || to === 'holding';
    if (to === 'failed') this.#logger.error(facts, 'vibe failed');
    else this.#logger.info(facts, `vibe ${to}`);
    this.#awayTimer?.cancel();
    if (to === 'holding') this.#endAfter(this.#house.config.holdSeconds * 1000, 'creator-away');
    this.#house.recorder?.changed(this);
    if (isOver(to)) this.#alarm.heard(false);
    this.#events.emit(() => ({ type: 'state', state: to, from, cause, isStreaming: this.isStreaming }));
    if (!isOver(to)) return;
    this.#patience.stop();
    this.#house.metrics.vibesEnded.inc({ cause: to });
    this.#house.mediaServer.retire(this.id);
    this.participants.clear();
    this.#onOver(this);
    this.#settleOver();
  }

  #onEncoder({ from, to, cause }: { from: string; to: string; cause: string }, encoder: Encoder): void {
    const { restarts } = encoder;
    if (to === 'starting') this.#house.recorder?.changed(this);
    this.#events.emit(() => ({ type: 'encoder', state: to, from, cause, restarts }));
    this.#patience.encoderMoved(to, encoder.lastExit?.reason ?? cause);
  }

  #onLevel(level: Level): void {
    this.#alarm.heard(this.#pipeline.signal === 'silent');
    this.#events.emit(() => ({ type: 'level', ...level, signal: this.signal, bufferedMs: this.bufferedMs }));
  }

  #onSilence(active: boolean, seconds: number): void {
    const { signal } = this;
    if (active) this.#logger.warn({ signal }, 'silence is on air');
    else this.#logger.info({ seconds }, 'silence is over');
    this.#events.emit(() => ({ type: 'silence', active, signal, seconds }));
  }

  #endAfter(delayMs: number, cause: string): void {
    const end = (): void => void this.end({ drain: true, cause });
    this.#awayTimer = this.#house.clock.after(delayMs, end, { background: true });
  }
}
