import { checkContinuity, type ContinuityEvent, type ContinuityReport } from '../continuity/continuity';
import { NOISE_RATE } from '../continuity/noise';
import { continuousFor } from '../continuity/quick-look';

/** What is sent, as far as a check asks for it: samples of one channel from a place on. */
export interface Sent {
  left(from: number, samples: number): Float32Array;
}

/** What is looked at in one go, once so much has been heard. */
const PIECE = 5 * NOISE_RATE;
/** What two pieces have in common, all of it continuous: what a check does not look at in detail at either end, and more. */
const OVERLAP = 6_144;
/** A piece is closed where it has been continuous for so long: what is not over yet is looked at again, with more. */
const CALM = NOISE_RATE;
/** What was never continuous for so long is over, and what comes then is looked for anew. */
const MOST = 40 * NOISE_RATE;
/** How far around the place expected the reference goes on. */
const BEFORE = 3 * NOISE_RATE;
const AFTER = 10 * NOISE_RATE;
/** Where what was heard first is looked for: from the beginning on. */
const BEGINNING = 20 * NOISE_RATE;
/** The likeness of whole windows ends before the last sample. */
const WINDOWS = 4_096;

/** All that was heard, in counts of samples of one channel. */
export interface HeardInAll {
  readonly samples: number;
  /** Lost less inserted, over all events. */
  readonly net: number;
  /** The first sample of what was sent that was heard, and the one behind the last; both 0 where none was. */
  readonly first: number;
  readonly end: number;
  /**
   * What was heard first at `n` was sent at `n + lead`: an encoder that begins puts 1024 samples before. Exact, where `first`
   * is found to some hundred samples only.
   */
  readonly lead: number;
  /** Heard behind the last sample of what was sent. */
  readonly trailing: number;
}

/**
 * Holds what a listener hears against what its creator sends, piece by piece, for as long as it takes: `checkContinuity` in
 * bounded memory. Each piece begins within the last one, where that was continuous. One that is so all through takes no more
 * than a quick look.
 */
export class StreamChecker {
  readonly #sent: Sent;
  readonly #onEvent: (event: ContinuityEvent) => void;
  #room = new Float32Array(2 * PIECE);
  #kept = 0;
  /** Of the first sample that is kept, among all that were heard. */
  #base = 0;
  /** What was heard at `n` is what was sent at `n + lag`. */
  #lag: number | undefined;
  /** So much is looked at next. */
  #enough = PIECE;
  #first: number | undefined;
  #lead = 0;
  #end = 0;
  #net = 0;
  #trailing = 0;
  /** Where it was continuous last, when a piece had to be given up. */
  #brokenAt: number | undefined;

  /** @param onEvent told what was heard that should not have been; `at` counts from the first sample of all */
  constructor(sent: Sent, onEvent: (event: ContinuityEvent) => void) {
    this.#sent = sent;
    this.#onEvent = onEvent;
  }

  /** Samples heard so far. */
  get samples(): number {
    return this.#base + this.#kept;
  }

  /** The next samples, of one channel at 48 kHz. */
  push(samples: Float32Array): void {
    if (this.#kept + samples.length > this.#room.length) {
      const more = new Float32Array(2 * (this.#kept + samples.length));
      more.set(this.#heard);
      this.#room = more;
    }
    this.#room.set(samples, this.#kept);
    this.#kept += samples.length;
    if (this.#kept < this.#enough) return;
    if (!this.#isContinuous()) this.#look(false);
  }

  /** Nothing more will be heard. */
  finish(): HeardInAll {
    if (this.#kept > 0 && !this.#isContinuous()) this.#look(true);
    return {
      samples: this.samples,
      net: this.#net,
      first: this.#first ?? 0,
      end: this.#end,
      lead: this.#lead,
      trailing: this.#trailing,
    };
  }

  get #heard(): Float32Array {
    return this.#room.subarray(0, this.#kept);
  }

  /** Lets go of what is continuous from the beginning on. @returns whether that was all */
  #isContinuous(): boolean {
    if (this.#lag === undefined || this.#brokenAt !== undefined) return false;
    const reference = this.#sent.left(this.#base + this.#lag - 1, this.#kept + 2);
    const until = continuousFor(this.#heard, reference, 1);
    const isAll = until === this.#kept;
    if (isAll) this.#end = this.samples + this.#lag;
    if (until > OVERLAP) this.#keepFrom(until - OVERLAP);
    return isAll;
  }

  #look(isLast: boolean): void {
    const heard = this.#heard;
    const expected = this.#expected;
    const from = Math.max(0, expected - BEFORE);
    const ahead = this.#first === undefined ? BEGINNING : AFTER;
    const since = this.#brokenAt === undefined ? 0 : this.#base - this.#brokenAt;
    const reference = this.#sent.left(from, expected - from + since + heard.length + ahead);
    const report = checkContinuity(heard, reference, this.#lag === undefined ? undefined : expected - from);
    const calm = calmSince(report, heard.length);
    if (calm === undefined && !isLast && heard.length < MOST) {
      this.#enough = heard.length + Math.max(CALM, heard.length / 2);
      return;
    }
    this.#take(report, from);
    if (calm === undefined && !isLast) {
      // What comes next is looked for where it should be.
      if (this.#lag !== undefined) this.#brokenAt ??= this.#end - this.#lag;
      this.#keepFrom(this.#kept);
    } else this.#keepFrom(Math.max(0, this.#kept - OVERLAP));
  }

  /** Which sample of what is sent the first that is kept should be: after a long break, the one behind the last heard. */
  get #expected(): number {
    if (this.#brokenAt !== undefined) return this.#end;
    return this.#lag === undefined ? 0 : this.#base + this.#lag;
  }

  #take(report: ContinuityReport, from: number): void {
    this.#trailing += this.#kept - report.heardUntil;
    if (report.end === 0) return;
    this.#trailing = this.#kept - report.heardUntil;
    this.#mend(report, from);
    for (const event of report.events) this.#tell({ ...event, at: event.at + this.#base });
    if (this.#first === undefined) {
      this.#first = report.first + from;
      this.#lead = this.#first - (report.heardFrom + this.#base);
    }
    this.#end = report.end + from;
    this.#lag = this.#end - (report.heardUntil + this.#base);
  }

  /** What lies between a piece that was given up and the next that is of the reference again is an event, too. */
  #mend(report: ContinuityReport, from: number): void {
    const at = this.#brokenAt;
    if (at === undefined || this.#lag === undefined) return;
    const begin = report.heardFrom + this.#base;
    const net = report.first + from - begin - this.#lag;
    this.#tell({ kind: net > 0 ? 'lost' : net < 0 ? 'inserted' : 'damaged', at, net, foreign: begin - at });
    this.#brokenAt = undefined;
  }

  #tell(event: ContinuityEvent): void {
    this.#net += event.net;
    this.#onEvent(event);
  }

  #keepFrom(at: number): void {
    this.#room.copyWithin(0, at, this.#kept);
    this.#base += at;
    this.#kept -= at;
    this.#enough = OVERLAP + PIECE;
  }
}

/** Where the continuous end of a piece begins; `undefined` where it is too short to go on from. */
function calmSince({ events, heardFrom, heardUntil }: ContinuityReport, samples: number): number | undefined {
  if (heardUntil < samples - WINDOWS || heardUntil === 0) return undefined;
  const since = Math.max(heardFrom, ...events.map(({ at, foreign }) => at + foreign));
  return samples - since >= CALM ? since : undefined;
}
