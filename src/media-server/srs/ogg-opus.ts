import { OPUS_RATE, opusSamples } from './opus';

const PAGE_HEADER_BYTES = 27;
const CHECKSUM_AT = 22;
const SEGMENT_BYTES = 255;
const FIRST_PAGE = 2;
/** There is one stream in here, so any number does. */
const SERIAL = 1;
const CHANNELS = 2;

/** RFC 3533: polynomial 0x04c11db7, nothing reflected. */
const CHECKSUMS = Uint32Array.from({ length: 256 }, (_, byte) => {
  let value = byte << 24;
  for (let bit = 0; bit < 8; bit += 1) value = value & 0x80000000 ? (value << 1) ^ 0x04c11db7 : value << 1;
  return value;
});

/**
 * Writes Opus packets as Ogg (RFC 7845), a page each, so that a decoder gets each packet at once: FFmpeg 4.1 and 5.1.9
 * were seen to give the samples of a page before the next one came, every one of them.
 */
export class OggOpus {
  #pages = 0;
  #samples = 0;

  /** What stands at the start. */
  header(): Buffer {
    const head = Buffer.alloc(19);
    head.write('OpusHead', 'latin1');
    head[8] = 1;
    head[9] = CHANNELS;
    head.writeUInt32LE(OPUS_RATE, 12);
    const vendor = 'vibesflow';
    const tags = Buffer.alloc(8 + 4 + vendor.length + 4);
    tags.write('OpusTags', 'latin1');
    tags.writeUInt32LE(vendor.length, 8);
    tags.write(vendor, 12, 'latin1');
    return Buffer.concat([this.#page(head, FIRST_PAGE), this.#page(tags, 0)]);
  }

  /** One packet of Opus as a page. */
  packet(opus: Buffer): Buffer {
    this.#samples += opusSamples(opus);
    return this.#page(opus, 0);
  }

  #page(body: Buffer, flags: number): Buffer {
    const segments = Math.floor(body.length / SEGMENT_BYTES) + 1;
    const page = Buffer.alloc(PAGE_HEADER_BYTES + segments + body.length);
    page.write('OggS', 'latin1');
    page[5] = flags;
    page.writeBigUInt64LE(BigInt(this.#samples), 6);
    page.writeUInt32LE(SERIAL, 14);
    page.writeUInt32LE(this.#pages, 18);
    page[26] = segments;
    page.fill(SEGMENT_BYTES, PAGE_HEADER_BYTES, PAGE_HEADER_BYTES + segments - 1);
    page[PAGE_HEADER_BYTES + segments - 1] = body.length % SEGMENT_BYTES;
    body.copy(page, PAGE_HEADER_BYTES + segments);
    page.writeUInt32LE(checksum(page), CHECKSUM_AT);
    this.#pages = (this.#pages + 1) >>> 0;
    return page;
  }
}

function checksum(bytes: Buffer): number {
  let value = 0;
  for (const byte of bytes)
    value = ((value << 8) ^ (CHECKSUMS[((value >>> 24) ^ byte) & 0xff] as number)) >>> 0;
  return value;
}
