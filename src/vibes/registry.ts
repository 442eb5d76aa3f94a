import type { PcmFormat } from '../audio/pcm';
import type { Config } from '../base/config';
import { settlesWithin, type Timer } from '../base/clock';
import { once } from '../base/closer';
import { Problem } from '../base/errors';
import type { PublishEnd } from '../media-server/media-server';
import type { Claim } from './ownership';
import { Vibe } from './vibe';
import type { VibeHouse, VibeOptions } from './vibe-house';
import { checkVibeId } from './vibe-id';
import type { PastVibe } from './vibe-record';

export interface StartRequest extends Claim {
  readonly vibeId: string;
  readonly network?: string | undefined;
  readonly title?: string | undefined;
  /** Asks for an owner key. */
  readonly claim?: boolean | undefined;
  /** Whether only who the owner lets may listen. In `open` mode such a vibe is claimed, asked for or not. */
  readonly isPrivate?: boolean | undefined;
}

export interface RegistryHouse extends VibeHouse {
  readonly config: VibeHouse['config'] & Pick<Config, 'maxStreams'>;
  /** What the machine has too little of for another vibe, in words. */
  readonly headroom?: { readonly shortage: string | undefined };
}

/** A vibe that is over can be asked for this long. */
const REMEMBER_MS = 5 * 60_000;
/** And no more of them than this are remembered. */
const REMEMBER_VIBES = 1_000;
const HOUSEKEEPING_MS = 1_000;

/** All vibes of this daemon, by id. */
export class VibeRegistry {
  readonly #house: RegistryHouse;
  readonly #active = new Map<string, Vibe>();
  /** Vibes that are over, oldest first, with the monotonic time until which they are remembered. */
  readonly #over = new Map<string, { vibe: Vibe; untilMs: number }>();
  readonly #housekeeping: Timer;
  #draining = false;

  constructor(house: RegistryHouse) {
    this.#house = house;
    this.#housekeeping = house.clock.every(HOUSEKEEPING_MS, () => this.#keepHouse(), { background: true });
    house.mediaServer.on('unpublished', this.#onUnpublished);
    house.mediaServer.on('received', this.#onReceived);
    house.mediaServer.on('listeners', this.#onListeners);
    house.metrics.vibesLimit.set(house.config.maxStreams);
    house.metrics.bufferLimit.set(house.config.maxBufferSeconds);
    house.metrics.onScrape(() => this.#measure());
    house.metrics.watchProgram('ffmpeg', () => this.encoderPids);
  }

  /** Whether the daemon is about to stop: no vibe is started and no audio taken any more. */
  get draining(): boolean {
    return this.#draining;
  }

  /** Whether another vibe would be refused. */
  get isFull(): boolean {
    return this.#active.size >= this.#house.config.maxStreams;
  }

  /** The processes of the encoders that run now. */
  get encoderPids(): number[] {
    return this.active()
      .map((vibe) => vibe.pipeline.encoder?.pid)
      .filter((pid) => pid !== undefined);
  }

  /** What the machine has too little of for another vibe, in words; nothing where it has enough. */
  get shortage(): string | undefined {
    return this.#house.headroom?.shortage;
  }

  /** The vibes that are not over, oldest first. */
  active(): Vibe[] {
    return [...this.#active.values()];
  }

  /** A vibe, also one that has been over for a few minutes at most. */
  get(vibeId: string): Vibe | undefined {
    return this.#active.get(vibeId) ?? this.#over.get(vibeId)?.vibe;
  }

  /** @throws {Problem} `invalid-vibe-id` (400), `vibe-not-found` (404) */
  require(vibeId: string): Vibe {
    const vibe = this.get(checkVibeId(vibeId));
    if (!vibe) throw new Problem('vibe-not-found', `There is no vibe ${vibeId}.`);
    return vibe;
  }

  /** Like `require`, but a vibe that is over does not count. */
  requireActive(vibeId: string): Vibe {
    const vibe = this.require(vibeId);
    if (vibe.isOver) throw new Problem('vibe-not-found', `The vibe ${vibeId} is over.`);
    return vibe;
  }

  /**
   * Starts a vibe, or finds the same creator's, which then may number its chunks anew. The encoder starts at once, so
   * that the first audio is heard sooner.
   * @returns the owner key where one was asked for and the vibe had none
   * @throws {Problem} `unauthorized` (401), `wrong-owner-key` (403), `creator-conflict`, `visibility-changed`,
   *   `vibe-ending` (409), `private-unavailable` (501), `too-many-vibes`, `draining` (503)
   */
  start(request: StartRequest): { vibe: Vibe; created: boolean; ownerKey?: string } {
    const existing = this.#active.get(checkVibeId(request.vibeId));
    existing?.ownership.checkStart(request);
    if (existing?.state === 'ending') {
      throw new Problem('vibe-ending', `The vibe ${request.vibeId} is still playing out.`, {
        retryAfterSeconds: 1,
      });
    }
    if (request.isPrivate) this.#checkPrivate(existing);
    const vibe = existing ?? this.#create(ownedBy(request));
    if (existing) vibe.restartNumbering();
    else vibe.warmUp();
    // A vibe without a creator is anybody's; only who starts it may claim it.
    const wantsKey = (request.claim === true || request.isPrivate === true) && !request.bearer;
    const mayClaim = wantsKey && (!existing || vibe.creator !== undefined);
    const ownerKey = mayClaim ? vibe.ownership.claim() : undefined;
    if (ownerKey !== undefined) this.#house.recorder?.changed(vibe);
    return { vibe, created: !existing, ...(ownerKey === undefined ? {} : { ownerKey }) };
  }

  /** Brings a vibe back that was there when a daemon died. */
  restore(past: PastVibe): void {
    // With another media server than before: nobody must hear what was not meant for all.
    if (past.isPrivate && !this.#house.mediaServer.admissions) return;
    this.#create({ ...past, past }).resume(past);
  }

  /**
   * Says whether audio would be taken, and changes nothing.
   * @throws {Problem} as `accept`
   */
  check(vibeId: string, claim: Claim, format: PcmFormat): void {
    const vibe = this.#active.get(checkVibeId(vibeId));
    if (this.#draining) throw new Problem('draining', 'The relay is restarting.', { retryAfterSeconds: 2 });
    if (!vibe) return this.#checkRoom();
    vibe.ownership.checkAudio(claim);
    if (vibe.state === 'ending') {
      throw new Problem('vibe-ending', `The vibe ${vibeId} is still playing out.`, { retryAfterSeconds: 1 });
    }
    vibe.pipeline.checkFormat(format);
  }

  /**
   * The vibe that takes this creator's audio; starts it where there is none.
   * @param format as the creator sends it
   * @throws {Problem} `invalid-vibe-id` (400), `unauthorized` (401), `wrong-owner-key`, `wrong-creator` (403),
   *   `format-changed`, `vibe-ending` (409), `too-many-vibes`, `draining` (503)
   */
  accept(vibeId: string, claim: Claim, format: PcmFormat): Vibe {
    this.check(vibeId, claim, format);
    const vibe = this.#active.get(vibeId) ?? this.#create(ownedBy({ ...claim, vibeId }));
    vibe.declare(format);
    return vibe;
  }

  /** Whether a vibe may be ended with this claim. @throws {Problem} as `Ownership.checkEnd` */
  authorize(vibe: Vibe, claim: Claim): void {
    vibe.ownership.checkEnd(claim);
  }

  /**
   * Stops taking audio and plays out what is held, for `budgetMs` at most; what is left then is counted as discarded.
   * Idempotent.
   */
  async drain(budgetMs: number): Promise<void> {
    this.#draining = true;
    const ends = this.active().map((vibe) => vibe.end({ drain: true, cause: 'draining' }));
    if (await settlesWithin(this.#house.clock, budgetMs, Promise.all(ends))) return;
    await Promise.all(this.active().map((vibe) => vibe.end({ drain: false, cause: 'drain-budget' })));
  }

  /** Ends all vibes at once. Idempotent. */
  readonly close = once(async () => {
    this.#draining = true;
    this.#housekeeping.cancel();
    await Promise.all(this.active().map((vibe) => vibe.end({ drain: false, cause: 'closing' })));
    this.#house.mediaServer.off('unpublished', this.#onUnpublished);
    this.#house.mediaServer.off('received', this.#onReceived);
    this.#house.mediaServer.off('listeners', this.#onListeners);
    this.#over.clear();
  });

  #checkPrivate(existing: Vibe | undefined): void {
    if (existing && !existing.ownership.isPrivate)
      throw new Problem(
        'visibility-changed',
        `The vibe ${existing.id} is public; end it to start a private one.`,
      );
    if (!this.#house.mediaServer.admissions)
      throw new Problem(
        'private-unavailable',
        'Private vibes need the embedded media server: MEDIA_SERVER=embedded.',
      );
  }

  #create(options: Omit<VibeOptions, 'onOver'>): Vibe {
    if (this.#draining) throw new Problem('draining', 'The relay is restarting.', { retryAfterSeconds: 2 });
    this.#checkRoom(options.past !== undefined);
    const vibe = new Vibe({ ...options, onOver: (over) => this.#remember(over) }, this.#house);
    this.#over.delete(vibe.id);
    this.#active.set(vibe.id, vibe);
    return vibe;
  }

  #remember(vibe: Vibe): void {
    this.#active.delete(vibe.id);
    this.#over.set(vibe.id, { vibe, untilMs: this.#house.clock.nowMs() + REMEMBER_MS });
  }

  /** A vibe that was there before is let in, however full the machine is: it was there when the machine had room. */
  #checkRoom(isBack = false): void {
    const shortage = isBack ? undefined : this.shortage;
    if (shortage !== undefined)
      throw new Problem('overloaded', `No other vibe is started: ${shortage}.`, { retryAfterSeconds: 10 });
    if (!this.isFull) return;
    throw new Problem('too-many-vibes', `There are ${this.#active.size} vibes already.`, {
      retryAfterSeconds: 10,
    });
  }

  #keepHouse(): void {
    for (const vibe of this.#active.values()) vibe.participants.expire();
    const nowMs = this.#house.clock.nowMs();
    for (const [id, { untilMs }] of this.#over) {
      if (untilMs > nowMs && this.#over.size <= REMEMBER_VIBES) break;
      this.#over.delete(id);
    }
  }

  readonly #onUnpublished = (end: PublishEnd): void => this.get(end.vibeId)?.unpublished(end);

  readonly #onReceived = (soFar: PublishEnd): void => this.get(soFar.vibeId)?.received(soFar);

  readonly #onListeners = ({ vibeId }: { vibeId: string }): void => this.get(vibeId)?.countsChanged();

  #measure(): void {
    const { metrics } = this.#house;
    metrics.vibes.reset();
    metrics.vibesBySignal.reset();
    metrics.encoders.reset();
    let participants = 0;
    let bufferedMs = 0;
    let bufferedMaxMs = 0;
    let listeners = 0;
    for (const vibe of this.#active.values()) {
      metrics.vibes.inc({ state: vibe.state });
      metrics.vibesBySignal.inc({ signal: vibe.signal });
      const { encoder } = vibe.pipeline;
      if (encoder) metrics.encoders.inc({ state: encoder.state });
      participants += vibe.participants.count;
      listeners += vibe.listeners;
      bufferedMs += vibe.bufferedMs;
      bufferedMaxMs = Math.max(bufferedMaxMs, vibe.bufferedMs);
    }
    metrics.participants.set(participants);
    metrics.listeners.set(listeners);
    metrics.bufferedSeconds.set(bufferedMs / 1000);
    metrics.bufferedMax.set(bufferedMaxMs / 1000);
    metrics.draining.set(this.#draining ? 1 : 0);
  }
}

/** Who bears a token is the owner, and the creator where it names no other. */
function ownedBy<T extends Claim>({
  bearer,
  ...rest
}: T): Omit<T, 'bearer'> & { creator?: string; subject?: string } {
  return bearer ? { ...rest, creator: rest.creator ?? bearer.subject, subject: bearer.subject } : rest;
}
