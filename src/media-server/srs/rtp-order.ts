import type { RtpPacket } from './rtp';

/** What came out, in order. */
export interface InOrder {
  readonly packet: RtpPacket;
  /** Packets before it that never came. */
  readonly missing: number;
}

/**
 * A packet that is asked for again (NACK) is back after one round trip and a half: most within this. Waiting longer
 * would only help those whose buffer it empties.
 */
const WAIT_MS = 120;
/** A jump as far as this is another stream, not a loss. */
const MAX_JUMP = 1_000;

/** Puts packets back in order, and waits a moment for those that are missing. Time comes in as a number. */
export class RtpOrder {
  readonly #early = new Map<number, { packet: RtpPacket; atMs: number }>();
  #next: number | undefined;
  #late = 0;

  /** Packets that came twice, or after their turn was over. */
  get late(): number {
    return this.#late;
  }

  /**
   * Takes a packet.
   * @param nowMs monotonic milliseconds
   * @returns what is in turn now, oldest first
   */
  push(packet: RtpPacket, nowMs: number): InOrder[] {
    const ahead = this.#next === undefined ? 0 : signed16(packet.sequence - this.#next);
    if (Math.abs(ahead) > MAX_JUMP) {
      const left = this.#flush();
      this.#next = undefined;
      return [...left, ...this.push(packet, nowMs)];
    }
    if (ahead < 0) {
      this.#late += 1;
      return [];
    }
    this.#next ??= packet.sequence;
    this.#early.set(packet.sequence, { packet, atMs: nowMs });
    return this.#inTurn(nowMs);
  }

  #inTurn(nowMs: number): InOrder[] {
    const ready: InOrder[] = [];
    for (let missing = 0; this.#early.size > 0;) {
      const held = this.#early.get(this.#next as number);
      if (held) {
        this.#early.delete(this.#next as number);
        ready.push({ packet: held.packet, missing });
        missing = 0;
      } else {
        // The one that waits longest is the first that came after the gap.
        const [oldest] = this.#early.values();
        if (nowMs - (oldest as { atMs: number }).atMs < WAIT_MS) return ready;
        missing += 1;
      }
      this.#next = ((this.#next as number) + 1) & 0xffff;
    }
    return ready;
  }

  #flush(): InOrder[] {
    return this.#inTurn(Number.POSITIVE_INFINITY);
  }
}

function signed16(value: number): number {
  return (value << 16) >> 16;
}
