const PACKET_BYTES = 188;
const SYNC = 0x47;
/** Audio streams are numbered from 0xc0 to 0xdf. */
const AUDIO_MASK = 0xe0;
const AUDIO = 0xc0;

/**
 * The elementary stream of the audio in an MPEG transport stream: of AAC, ADTS.
 * @throws {Error} where the bytes are not whole packets of one
 */
export function tsAudio(segment: Buffer): Buffer {
  const parts: Buffer[] = [];
  let audioPid: number | undefined;
  for (let at = 0; at < segment.length; at += PACKET_BYTES) {
    const packet = segment.subarray(at, at + PACKET_BYTES);
    if (packet.length < PACKET_BYTES || packet[0] !== SYNC)
      throw new Error(`no transport packet at byte ${at} of ${segment.length}`);
    const pid = packet.readUInt16BE(1) & 0x1fff;
    const payload = payloadOf(packet);
    const starts = ((packet[1] as number) & 0x40) !== 0;
    if (starts && isAudio(payload)) {
      audioPid = pid;
      // Behind the nine bytes that all headers have come those that are optional.
      parts.push(payload.subarray(9 + (payload[8] as number)));
    } else if (pid === audioPid) parts.push(payload);
  }
  return Buffer.concat(parts);
}

function payloadOf(packet: Buffer): Buffer {
  const control = (packet[3] as number) & 0x30;
  if (control === 0x10) return packet.subarray(4);
  return control === 0x30 ? packet.subarray(5 + (packet[4] as number)) : Buffer.alloc(0);
}

function isAudio(payload: Buffer): boolean {
  return (
    payload.length > 8 && payload.readUIntBE(0, 3) === 1 && ((payload[3] as number) & AUDIO_MASK) === AUDIO
  );
}
