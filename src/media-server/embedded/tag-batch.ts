import { setTimestamp } from '../flv';

/** How an answer's body stands on the wire: in HTTP's chunks, or (HTTP/1.0) as it is, until the connection ends. */
export type Framing = 'chunked' | 'plain';

const CRLF = Buffer.from('\r\n');

/** One of HTTP's chunks. */
export function httpChunk(bytes: Buffer): Buffer {
  return Buffer.concat([Buffer.from(`${bytes.length.toString(16)}\r\n`), bytes, CRLF]);
}

/** A whole FLV tag and the stream's time of it. */
export interface TimedTag {
  readonly bytes: Buffer;
  readonly timeMs: number;
}

interface Wire {
  bytes: Buffer;
  /** Where each tag begins: its framing, and itself. */
  readonly starts: readonly { readonly frameAt: number; readonly tagAt: number; readonly timeMs: number }[];
  /** Whose times stand in it now. */
  originMs: number;
}

/**
 * Tags that go to all listeners in one write each. There is one copy for all of them: just before a listener's write its
 * own times, which begin at 0, are put into it. That may be done because a socket that has taken everything at once keeps
 * nothing of what it was given; for one that has not, `leave` gives the bytes away. A copy each would cost as much as a
 * quarter of the write itself.
 */
export class TagBatch {
  /** Counts up with each batch of a stream. */
  readonly number: number;
  readonly #tags: readonly TimedTag[];
  readonly #wires: { [framing in Framing]?: Wire } = {};

  constructor(number: number, tags: readonly TimedTag[]) {
    this.number = number;
    this.#tags = tags;
  }

  /**
   * What goes to a listener: good until the next call, and after it only where `leave` was called before.
   * @param originMs the stream's time that is 0 to the listener
   * @param firstTag tags before this one came before the listener; empty where all did
   */
  bytesFor(framing: Framing, originMs: number, firstTag: number): Buffer {
    const wire = (this.#wires[framing] ??= buildWire(this.#tags, framing));
    if (wire.originMs !== originMs) {
      for (const { tagAt, timeMs } of wire.starts) setTimestamp(wire.bytes, timeMs - originMs, tagAt);
      wire.originMs = originMs;
    }
    return firstTag === 0
      ? wire.bytes
      : wire.bytes.subarray(wire.starts[firstTag]?.frameAt ?? wire.bytes.length);
  }

  /** Somebody keeps what was given last: from now on there is another copy. */
  leave(framing: Framing): void {
    const wire = this.#wires[framing];
    if (wire) wire.bytes = copyOf(wire.bytes);
  }
}

/** A copy with memory of its own: what may wait long must not hold a whole 8 KiB pool. */
export function copyOf(bytes: Buffer): Buffer {
  const copy = Buffer.allocUnsafeSlow(bytes.length);
  bytes.copy(copy);
  return copy;
}

function buildWire(tags: readonly TimedTag[], framing: Framing): Wire {
  const starts: Wire['starts'][number][] = [];
  const parts: Buffer[] = [];
  let at = 0;
  for (const { bytes, timeMs } of tags) {
    const part = framing === 'chunked' ? httpChunk(bytes) : bytes;
    const headBytes = framing === 'chunked' ? part.length - bytes.length - CRLF.length : 0;
    starts.push({ frameAt: at, tagAt: at + headBytes, timeMs });
    parts.push(part);
    at += part.length;
  }
  // Tags carry the stream's own time: that of a listener who came at 0.
  return { bytes: copyOf(Buffer.concat(parts, at)), starts, originMs: 0 };
}
