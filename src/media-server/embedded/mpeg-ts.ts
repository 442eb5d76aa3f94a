/** Every packet of an MPEG transport stream has this length (ISO/IEC 13818-1). */
export const TS_PACKET_BYTES = 188;

const SYNC = 0x47;
const HEADER_BYTES = 4;
const BODY_BYTES = TS_PACKET_BYTES - HEADER_BYTES;
const PAT_PID = 0;
const PMT_PID = 0x1000;
/** The one elementary stream; it carries the program's clock as well. */
const AUDIO_PID = 0x100;
const PROGRAM = 1;
/** AAC in ADTS frames. */
const STREAM_TYPE_ADTS = 0x0f;
const AUDIO_STREAM_ID = 0xc0;
/** Length byte, flags, and the clock reference: what the adaptation field of a PES packet's first packet takes. */
const PCR_FIELD_BYTES = 8;
const FLAGS_RANDOM_ACCESS_AND_PCR = 0x50;
/** The first sound is due 1.4 s into the stream and each packet comes 0.7 s early, as FFmpeg's muxer has it. */
const FIRST_PTS = 126_000;
const PCR_LEAD = 63_000;
const WRAP = 2 ** 33;

/** MPEG's CRC-32: polynomial 0x04c11db7, most significant bit first, no final inversion. */
export function mpegCrc32(bytes: Buffer): number {
  let crc = 0xffff_ffff;
  for (const byte of bytes) {
    crc ^= byte << 24;
    for (let bit = 0; bit < 8; bit += 1) crc = crc & 0x8000_0000 ? (crc << 1) ^ 0x04c1_1db7 : crc << 1;
  }
  return crc >>> 0;
}

/** A table section as a packet's payload: pointer field, section, checksum, filled up with 0xff. */
function section(bytes: readonly number[]): Buffer {
  const payload = Buffer.alloc(BODY_BYTES, 0xff);
  const table = Buffer.from(bytes);
  payload[0] = 0;
  table.copy(payload, 1);
  payload.writeUInt32BE(mpegCrc32(table), 1 + table.length);
  return payload;
}

// Both tables: version 0, current, section 0 of 0; the length counts from behind itself to the checksum's end.
const PAT = section([0x00, 0xb0, 13, 0, 1, 0xc1, 0, 0, 0, PROGRAM, 0xe0 | (PMT_PID >> 8), PMT_PID & 0xff]);
const PMT = section([
  ...[0x02, 0xb0, 18, 0, PROGRAM, 0xc1, 0, 0, 0xe0 | (AUDIO_PID >> 8), AUDIO_PID & 0xff, 0xf0, 0],
  ...[STREAM_TYPE_ADTS, 0xe0 | (AUDIO_PID >> 8), AUDIO_PID & 0xff, 0xf0, 0],
]);

/** Muxes ADTS frames into an MPEG transport stream with one program. Counters run on over segments. */
export class TsMuxer {
  readonly #continuity = new Map<number, number>();

  /** The tables that every segment begins with: PAT and PMT. */
  tables(): Buffer {
    const bytes = Buffer.alloc(2 * TS_PACKET_BYTES);
    this.#header(bytes, 0, PAT_PID, true, false);
    PAT.copy(bytes, HEADER_BYTES);
    this.#header(bytes, TS_PACKET_BYTES, PMT_PID, true, false);
    PMT.copy(bytes, TS_PACKET_BYTES + HEADER_BYTES);
    return bytes;
  }

  /**
   * One PES packet in as many transport packets as it takes.
   * @param frames whole ADTS frames, 65,527 bytes at most
   * @param ticks when the first of them is due, in 90 kHz ticks since the stream began
   */
  pes(frames: Buffer, ticks: number): Buffer {
    const pts = ticks + FIRST_PTS;
    const payload = Buffer.concat([pesHeader(frames.length, pts % WRAP), frames]);
    const packets = Math.ceil((payload.length + PCR_FIELD_BYTES) / BODY_BYTES);
    const bytes = Buffer.alloc(packets * TS_PACKET_BYTES, 0xff);
    for (let packet = 0, from = 0; packet < packets; packet += 1) {
      const at = packet * TS_PACKET_BYTES;
      const room = BODY_BYTES - (packet === 0 ? PCR_FIELD_BYTES : 0);
      const taken = Math.min(room, payload.length - from);
      const adaptationBytes = BODY_BYTES - taken;
      this.#header(bytes, at, AUDIO_PID, packet === 0, adaptationBytes > 0);
      // The buffer is full of 0xff, which is what stuffing consists of.
      if (adaptationBytes > 0) bytes[at + HEADER_BYTES] = adaptationBytes - 1;
      if (adaptationBytes > 1) bytes[at + HEADER_BYTES + 1] = 0;
      if (packet === 0) writePcr(bytes, at + HEADER_BYTES + 1, (pts - PCR_LEAD) % WRAP);
      payload.copy(bytes, at + TS_PACKET_BYTES - taken, from, from + taken);
      from += taken;
    }
    return bytes;
  }

  #header(bytes: Buffer, at: number, pid: number, starts: boolean, hasAdaptation: boolean): void {
    const counter = this.#continuity.get(pid) ?? 0;
    this.#continuity.set(pid, (counter + 1) & 0x0f);
    bytes[at] = SYNC;
    bytes[at + 1] = (starts ? 0x40 : 0) | (pid >> 8);
    bytes[at + 2] = pid & 0xff;
    bytes[at + 3] = (hasAdaptation ? 0x30 : 0x10) | counter;
  }
}

function pesHeader(payloadBytes: number, pts: number): Buffer {
  const header = Buffer.alloc(14);
  header.writeUInt32BE(0x100 | AUDIO_STREAM_ID, 0);
  header.writeUInt16BE(payloadBytes + 8, 4);
  // Marker bits with "frames are aligned"; a time stamp and no other fields; five bytes of it.
  header[6] = 0x84;
  header[7] = 0x80;
  header[8] = 5;
  header[9] = 0x21 | (Math.floor(pts / 2 ** 30) << 1);
  header.writeUInt16BE((Math.floor(pts / 2 ** 14) & 0xfffe) | 1, 10);
  header.writeUInt16BE(((pts * 2) & 0xfffe) | 1, 12);
  return header;
}

function writePcr(bytes: Buffer, at: number, pcr: number): void {
  bytes[at] = FLAGS_RANDOM_ACCESS_AND_PCR;
  bytes.writeUInt32BE(Math.floor(pcr / 2), at + 1);
  bytes[at + 5] = ((pcr & 1) << 7) | 0x7e;
  bytes[at + 6] = 0;
}
