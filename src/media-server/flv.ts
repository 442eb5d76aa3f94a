/** FLV tag types: audio, video, script data (AMF0, e.g. `onMetaData`). */
export type FlvTagType = 8 | 9 | 18;

/** One FLV tag, without its framing. */
export interface FlvTag {
  readonly type: FlvTagType;
  /** Milliseconds, 0 to 2³²−1. */
  readonly timestampMs: number;
  /** A view of what was received: copy it to keep it. */
  readonly body: Buffer;
}

export const AUDIO_TAG = 8;
export const VIDEO_TAG = 9;
export const SCRIPT_TAG = 18;

/** Bytes before a tag's body: type, length, timestamp, stream id. */
export const TAG_HEADER_BYTES = 11;
/** Where the timestamp stands in a tag: three bytes and, as the fourth, the highest one. */
const TIMESTAMP_AT = 4;
/** Bytes behind a tag's body: the size of the tag, for players that step back. */
const TRAILER_BYTES = 4;
const FILE_HEADER_BYTES = 9;
const HAS_AUDIO = 4;

/** `FLV`, version 1, audio only, and the size 0 of the tag that is not there before the first. */
export const FLV_HEADER = Buffer.from([
  0x46,
  0x4c,
  0x56,
  1,
  HAS_AUDIO,
  0,
  0,
  0,
  FILE_HEADER_BYTES,
  0,
  0,
  0,
  0,
]);

/** A whole tag as it stands in a stream, its trailing size included. */
export function flvTag(type: FlvTagType, timestampMs: number, body: Buffer): Buffer {
  const tag = Buffer.allocUnsafe(TAG_HEADER_BYTES + body.length + TRAILER_BYTES);
  tag[0] = type;
  tag.writeUIntBE(body.length, 1, 3);
  setTimestamp(tag, timestampMs);
  tag.fill(0, 8, TAG_HEADER_BYTES);
  body.copy(tag, TAG_HEADER_BYTES);
  tag.writeUInt32BE(TAG_HEADER_BYTES + body.length, TAG_HEADER_BYTES + body.length);
  return tag;
}

/** Writes another timestamp into a tag that `flvTag` made, and that begins at `tagAt`. */
export function setTimestamp(bytes: Buffer, timestampMs: number, tagAt = 0): void {
  const ms = timestampMs >>> 0;
  const at = tagAt + TIMESTAMP_AT;
  bytes[at] = ms >>> 16;
  bytes[at + 1] = ms >>> 8;
  bytes[at + 2] = ms;
  bytes[at + 3] = ms >>> 24;
}

/** Whether an audio tag's body is AAC at all: sound format 10. */
export function isAac(body: Buffer): boolean {
  return body.length >= 2 && (body[0] as number) >> 4 === 10;
}

/** Whether an audio tag's body is the AAC sequence header, which says how to decode what follows, and no sound. */
export function isAacConfig(body: Buffer): boolean {
  return isAac(body) && body[1] === 0;
}

/** The raw AAC of an audio tag's body, without the two bytes that FLV puts before it. A view. */
export function aacFrame(body: Buffer): Buffer {
  return body.subarray(2);
}

/** Bytes of an ADTS header without a checksum. */
export const ADTS_HEADER_BYTES = 7;
/** The longest raw frame whose length, header included, fits ADTS' 13 bits. */
export const MAX_ADTS_PAYLOAD_BYTES = 0x1fff - ADTS_HEADER_BYTES;

/** What an ADTS header says about the AAC behind it. */
export interface AdtsFormat {
  /** MPEG-4 audio object type: 2 is AAC-LC. */
  readonly objectType: number;
  /** Index in MPEG-4's table of sample rates: 3 is 48 kHz. */
  readonly rateIndex: number;
  /** Channel configuration: 2 is stereo. */
  readonly channels: number;
}

const AAC_LC_48K_STEREO: AdtsFormat = { objectType: 2, rateIndex: 3, channels: 2 };

/** A raw AAC frame behind an ADTS header, AAC-LC at 48 kHz in stereo unless told otherwise: what decoders take alone. */
export function adtsFrame(raw: Buffer, format: AdtsFormat = AAC_LC_48K_STEREO): Buffer {
  const length = ADTS_HEADER_BYTES + raw.length;
  const frame = Buffer.allocUnsafe(length);
  // Syncword, MPEG-4, layer 0, no checksum.
  frame[0] = 0xff;
  frame[1] = 0xf1;
  frame[2] = ((format.objectType - 1) << 6) | (format.rateIndex << 2) | (format.channels >> 2);
  frame[3] = ((format.channels & 3) << 6) | (length >> 11);
  frame[4] = (length >> 3) & 0xff;
  // Buffer fullness 0x7ff: the bit rate varies.
  frame[5] = ((length & 7) << 5) | 0x1f;
  frame[6] = 0xfc;
  raw.copy(frame, ADTS_HEADER_BYTES);
  return frame;
}

export interface FlvHandlers {
  /** Once, before any tag. Bit 2 (value 4): there is audio; bit 0 (value 1): there is video. */
  onHeader?(flags: number): void;
  onTag(tag: FlvTag): void;
}

/**
 * Reads an FLV stream as it arrives, in pieces of any size. Each tag is told as soon as its last byte is there.
 * Holds at most one incomplete tag (16 MB, by the format).
 */
export class FlvParser {
  readonly #handlers: FlvHandlers;
  #pending: Buffer[] = [];
  #pendingBytes = 0;
  /** Nothing can be read before so many bytes are there. */
  #wantedBytes = FILE_HEADER_BYTES;
  #inHeader = true;

  constructor(handlers: FlvHandlers) {
    this.#handlers = handlers;
  }

  /** @throws {Error} where the bytes are not FLV; the parser is then of no more use */
  push(bytes: Buffer): void {
    this.#pending.push(bytes);
    this.#pendingBytes += bytes.length;
    if (this.#pendingBytes < this.#wantedBytes) return;

    const all = this.#pending.length === 1 ? bytes : Buffer.concat(this.#pending, this.#pendingBytes);
    let at = 0;
    for (;;) {
      const end = this.#inHeader ? headerEnd(all, at) : tagEnd(all, at);
      this.#wantedBytes = end - at;
      if (end > all.length) break;
      if (this.#inHeader) {
        this.#inHeader = false;
        this.#handlers.onHeader?.(all[at + 4] as number);
      } else {
        this.#handlers.onTag(readTag(all, at, end));
      }
      at = end;
    }
    this.#pendingBytes = all.length - at;
    this.#pending = this.#pendingBytes > 0 ? [all.subarray(at)] : [];
  }
}

/** Where the file header that begins at `at` ends, with the first tag's preceding size; or how much must be there to tell. */
function headerEnd(bytes: Buffer, at: number): number {
  if (bytes.length - at < FILE_HEADER_BYTES) return at + FILE_HEADER_BYTES;
  const offset = bytes.readUInt32BE(at + 5);
  if (bytes.toString('latin1', at, at + 3) !== 'FLV' || offset < FILE_HEADER_BYTES || offset > 1024)
    throw new Error('this is not an FLV stream');
  return at + offset + TRAILER_BYTES;
}

function tagEnd(bytes: Buffer, at: number): number {
  if (bytes.length - at < TAG_HEADER_BYTES) return at + TAG_HEADER_BYTES;
  const type = bytes[at];
  if (type !== AUDIO_TAG && type !== VIDEO_TAG && type !== SCRIPT_TAG)
    throw new Error(`FLV has no tags of type ${type}`);
  return at + TAG_HEADER_BYTES + bytes.readUIntBE(at + 1, 3) + TRAILER_BYTES;
}

function readTag(bytes: Buffer, at: number, end: number): FlvTag {
  return {
    type: bytes[at] as FlvTagType,
    timestampMs:
      bytes.readUIntBE(at + TIMESTAMP_AT, 3) + (bytes[at + TIMESTAMP_AT + 3] as number) * 0x100_0000,
    body: bytes.subarray(at + TAG_HEADER_BYTES, end - TRAILER_BYTES),
  };
}
