import type { FlvListener } from './flv-listener';
import { TagBatch, type TimedTag } from './tag-batch';

/**
 * Writes in one go: about a millisecond. After so many the loop looks after others: what encoders of other vibes send, and
 * players that come.
 */
const WRITES_AT_ONCE = 128;

interface Seat {
  readonly listener: FlvListener;
  /** The first batch, and in it the first tag, that came after the listener did. */
  readonly firstBatch: number;
  readonly firstTag: number;
}

/** One walk through the listeners. */
interface Round {
  /** What each gets; at the very end nothing but the end. */
  readonly batch: TagBatch | undefined;
  /** Who is still to get it. */
  readonly left: Iterator<Seat>;
}

/**
 * Hands tags to a stream's listeners, in rounds: each round takes all that came since the last one began, and gives it to one
 * listener after another, a slice of them at a time. So long as a round takes less than the time between two tags, each
 * tag is sent by itself and at once. Where it takes longer, the next round takes several tags together, and needs fewer
 * writes: a server that has too many listeners gets cheaper instead of later and later.
 */
export class FanOut {
  readonly #seats = new Map<FlvListener, Seat>();
  #waiting: TimedTag[] = [];
  #batches = 0;
  #round: Round | undefined;
  #ended = false;

  get size(): number {
    return this.#seats.size;
  }

  /** From now on it gets every tag. */
  add(listener: FlvListener): void {
    this.#seats.set(listener, { listener, firstBatch: this.#batches, firstTag: this.#waiting.length });
    if (this.#ended) listener.end();
  }

  delete(listener: FlvListener): void {
    this.#seats.delete(listener);
  }

  /** @param tag kept until everybody has it */
  send(tag: TimedTag): void {
    if (this.#seats.size === 0) return;
    this.#waiting.push(tag);
    if (!this.#round) this.#go();
  }

  /** Everybody gets the rest, and then the end. */
  end(): void {
    this.#ended = true;
    if (!this.#round) this.#go();
  }

  /** Hangs up on all who are left. */
  destroy(): void {
    for (const listener of this.#seats.keys()) listener.destroy();
  }

  /** Goes on where it stopped, for one slice. */
  #go(): void {
    for (let writes = 0; writes < WRITES_AT_ONCE; writes += 1) {
      const seat = this.#nextSeat();
      if (!seat) return;
      if (this.#round?.batch) deliver(this.#round.batch, seat);
      else seat.listener.end();
    }
    setImmediate(() => this.#go());
  }

  /** Whose turn it is, in this round or the next; nobody when all have all. */
  #nextSeat(): Seat | undefined {
    while ((this.#round ??= this.#nextRound())) {
      const { batch, left } = this.#round;
      const next = left.next();
      // Seats stand in the order in which they were taken: behind one that was taken too late all were.
      if (!next.done && !(batch && next.value.firstBatch > batch.number)) return next.value;
      this.#round = undefined;
      if (!batch) return undefined;
    }
    return undefined;
  }

  #nextRound(): Round | undefined {
    if (this.#waiting.length === 0)
      return this.#ended ? { batch: undefined, left: this.#seats.values() } : undefined;
    const batch = new TagBatch(this.#batches, this.#waiting);
    this.#batches += 1;
    this.#waiting = [];
    return { batch, left: this.#seats.values() };
  }
}

function deliver(batch: TagBatch, { listener, firstBatch, firstTag }: Seat): void {
  const bytes = batch.bytesFor(
    listener.framing,
    listener.originMs,
    firstBatch === batch.number ? firstTag : 0,
  );
  if (bytes.length === 0) return;
  listener.send(bytes);
  // Its socket keeps what it could not take at once.
  if (listener.isBehind) batch.leave(listener.framing);
}
