/** A datagram of RTP, payload type 111. */
export function rtp({
  sequence = 1,
  timestamp = 0,
  payload,
}: {
  sequence?: number;
  timestamp?: number;
  payload: Buffer;
}): Buffer {
  const header = Buffer.alloc(12);
  header[0] = 0x80;
  header[1] = 111;
  header.writeUInt16BE(sequence, 2);
  header.writeUInt32BE(timestamp, 4);
  return Buffer.concat([header, payload]);
}
