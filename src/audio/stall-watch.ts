/** Two AAC frames, and a tick comes each. Further apart than this: the event loop stood still. */
const STALL_MS = (2 * 1024) / 48;
/** However long it stood still, creators that can be back are back within this. */
const CATCH_UP_MS = 500;

/**
 * Tells a creator that sends nothing from a daemon that did not listen. After a stall of the event loop audio may lie in
 * the sockets, and a creator that posts chunk after chunk has a round trip before each that it could not send: it gets as
 * long as the stall was, and half a second at most, before what it lacks is called lacking.
 */
export class StallWatch {
  #tickedMs: number | undefined;
  #catchUpUntilMs = 0;

  /** Once a tick. @returns whether, if there is no audio now, there is none */
  tick(nowMs: number): boolean {
    const sinceMs = nowMs - (this.#tickedMs ?? nowMs);
    this.#tickedMs = nowMs;
    if (sinceMs >= STALL_MS) this.#catchUpUntilMs = nowMs + Math.min(sinceMs, CATCH_UP_MS);
    return nowMs >= this.#catchUpUntilMs;
  }
}
