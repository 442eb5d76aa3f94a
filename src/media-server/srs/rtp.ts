/** One packet of RTP (RFC 3550), as far as audio needs it. */
export interface RtpPacket {
  /** 0–65535, then again 0. */
  readonly sequence: number;
  /** In samples at 48 kHz; wraps at 2^32. */
  readonly timestamp: number;
  /** A view of the datagram. Empty where a browser only tried how much the network carries: that has a number too. */
  readonly payload: Buffer;
}

const HEADER_BYTES = 12;
/** RTCP shares the port; its types lie where RTP would have a marked payload type from 64 to 95 (RFC 5761). */
const RTCP_TYPES = { from: 192, to: 223 };

/** Reads a datagram. @returns nothing for what is no RTP: STUN, RTCP, torn packets */
export function parseRtp(datagram: Buffer): RtpPacket | undefined {
  if (datagram.length < HEADER_BYTES) return undefined;
  const flags = datagram[0] as number;
  const type = datagram[1] as number;
  if (flags >> 6 !== 2 || (type >= RTCP_TYPES.from && type <= RTCP_TYPES.to)) return undefined;
  let start = HEADER_BYTES + (flags & 0x0f) * 4;
  if (flags & 0x10) {
    if (start + 4 > datagram.length) return undefined;
    start += 4 + datagram.readUInt16BE(start + 2) * 4;
  }
  const padding = flags & 0x20 ? (datagram[datagram.length - 1] as number) : 0;
  const end = datagram.length - padding;
  if (start > end) return undefined;
  return {
    sequence: datagram.readUInt16BE(2),
    timestamp: datagram.readUInt32BE(4),
    payload: datagram.subarray(start, end),
  };
}
