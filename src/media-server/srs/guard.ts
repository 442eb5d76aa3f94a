import { settlesWithin, type Clock, type Timer } from '../../base/clock';
import type { Logger } from '../../base/logger';
import { isAacConfig } from '../flv';
import type { RtmpPlayer, RtmpPlayerOptions } from './rtmp-player';

/** A connection that plays a stream from SRS. */
export type GuardPlayer = Pick<RtmpPlayer, 'echo' | 'close'>;

export interface GuardOptions {
  readonly vibeId: string;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly connect: (events: Pick<RtmpPlayerOptions, 'onPlaying' | 'onAudio' | 'onEnd'>) => GuardPlayer;
  /** SRS has it among the stream's players: the stream may be published, and others may play it. */
  readonly onPlaying: () => void;
}

/** What a guard hears of one publish. */
export interface Hearing {
  /**
   * The publish is over.
   * @param srsDied it ended with SRS: what came until then is all that was handed on
   * @returns the AAC frames that SRS handed on; nothing where the guard was not there for all of it
   */
  count(srsDied: boolean): Promise<number | undefined>;
}

interface Heard {
  /** AAC frames, without the AAC header. */
  aacFrames: number;
  /** Whether the guard's connection broke since the publish began: what came later is not counted. */
  broke: boolean;
  /** And came back while the publish went on. */
  missedSome: boolean;
  onAudio: (() => void) | undefined;
}

interface Opened {
  readonly player: GuardPlayer;
  readonly openedMs: number;
}

/** SRS sweeps every 3 s. */
const SURE_WITHIN_MS = 2_500;
const FIRST_RETRY_MS = 100;
const LONGEST_RETRY_MS = 2_000;
/** What SRS still has to hand on comes within milliseconds. */
const COUNT_WITHIN_MS = 1_000;

/**
 * Plays a vibe's stream from SRS for as long as there is the vibe, and comes back when it is sent away. Three things
 * hang on it. It hears whether a publish is handed on at all, and counts what was. It keeps SRS 6 and 7 from sweeping up
 * a stream that nobody plays while its publisher is being let in. And SRS makes the stream for it under its right name,
 * which it does not for a player of HTTP-FLV (HLS then has the name `ID.flv.m3u8`). An AAC frame costs it the reading of
 * a header; of bodies nothing is kept.
 */
export class Guard {
  readonly #options: GuardOptions;
  /** Its connection, and until that plays the one before. */
  readonly #opened: Opened[] = [];
  #player: GuardPlayer | undefined;
  #playingSinceMs: number | undefined;
  /** The publish whose AAC frames come, and those that were let in and have not begun to. */
  #now: Heard | undefined;
  readonly #next = new Set<Heard>();
  #timer: Timer | undefined;
  #retries = 0;
  /** Called when the connection breaks. */
  #waiting: (() => void)[] = [];

  constructor(options: GuardOptions) {
    this.#options = options;
    this.#connect();
  }

  /** Since when SRS has it among the stream's players, monotonic milliseconds; none while it has not. */
  get playingSinceMs(): number | undefined {
    return this.#playingSinceMs;
  }

  /** What waits to come back comes back now, and soon again. */
  retryNow(): void {
    this.#retries = 0;
    if (!this.#timer) return;
    this.#timer.cancel();
    this.#connect();
  }

  /** A publish was let in: it begins with the next AAC header. @param onAudio told once, of its first AAC frame */
  begin(onAudio: () => void): Hearing {
    const fromStart = this.#playingSinceMs !== undefined;
    const heard = { aacFrames: 0, broke: !fromStart, missedSome: !fromStart, onAudio };
    this.#next.add(heard);
    return { count: (srsDied) => this.#count(heard, srsDied) };
  }

  /** Idempotent. */
  close(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    for (const opened of [...this.#opened]) this.#drop(opened);
    this.#onBroken();
  }

  #connect(): void {
    this.#timer = undefined;
    this.#play();
  }

  /**
   * A player's stream can be swept up as well, while the player is being let in; it then hears nothing for ever. But
   * there are 3 s between two sweeps: of two connections, one after the other within that time, the second one plays the
   * stream that there is. The first is closed then.
   */
  #play(): void {
    const { connect, clock, onPlaying } = this.#options;
    const openedMs = clock.nowMs();
    const player = connect({
      onPlaying: () => {
        const before = this.#opened.find((opened) => opened.player !== player);
        const isSure = before !== undefined && clock.nowMs() - before.openedMs < SURE_WITHIN_MS;
        if (before) this.#drop(before);
        if (!isSure) return this.#play();
        this.#retries = 0;
        this.#player = player;
        this.#playingSinceMs = clock.nowMs();
        onPlaying();
      },
      // The AAC header comes before it is known that it plays.
      onAudio: (body) => {
        if (this.#opened.at(-1)?.player === player) this.#hear(body);
      },
      onEnd: (why) => this.#ended(why),
    });
    this.#opened.push({ player, openedMs });
  }

  #drop(opened: Opened): void {
    opened.player.close();
    this.#opened.splice(this.#opened.indexOf(opened), 1);
  }

  async #count(heard: Heard, srsDied: boolean): Promise<number | undefined> {
    heard.onAudio = undefined;
    const { clock } = this.#options;
    const last = (): Promise<void> => (srsDied ? this.#untilBroken() : this.#sentAll());
    const isAll = heard.broke || (await settlesWithin(clock, COUNT_WITHIN_MS, last()));
    this.#next.delete(heard);
    return isAll && heard.broke === srsDied && !heard.missedSome ? heard.aacFrames : undefined;
  }

  #hear(body: Buffer): void {
    if (isAacConfig(body)) {
      // Whoever comes late gets the header again, of the publish that there is.
      const [next] = this.#next;
      if (!next) return;
      this.#next.delete(next);
      this.#now = next;
      return;
    }
    const heard = this.#now;
    if (!heard) return;
    if (heard.broke) heard.missedSome = true;
    else heard.aacFrames += 1;
    const { onAudio } = heard;
    heard.onAudio = undefined;
    onAudio?.();
  }

  #ended(why: string): void {
    const { clock, logger, vibeId } = this.#options;
    if (this.#playingSinceMs !== undefined) logger.info({ vibeId, why }, 'SRS sent the guard of a vibe away');
    for (const opened of [...this.#opened]) this.#drop(opened);
    this.#onBroken();
    const delayMs = Math.min(LONGEST_RETRY_MS, FIRST_RETRY_MS * 2 ** this.#retries);
    this.#retries += 1;
    this.#timer = clock.after(delayMs, () => this.#connect(), { background: true });
  }

  #onBroken(): void {
    this.#player = undefined;
    this.#playingSinceMs = undefined;
    for (const heard of [this.#now, ...this.#next]) if (heard) heard.broke = true;
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const resolve of waiting) resolve();
  }

  #untilBroken(): Promise<void> {
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  /** Resolves when SRS has sent all of a publish that is over, or never will. */
  #sentAll(): Promise<void> {
    const answered = new Promise<void>((resolve) => this.#player?.echo(resolve));
    return Promise.race([answered, this.#untilBroken()]);
  }
}
