const HEADER_BYTES = 7;

/**
 * Takes an ADTS stream apart into raw AAC frames, as they stand in FLV audio tags.
 * @throws {Error} where the bytes are not whole ADTS frames
 */
export function splitAdts(stream: Buffer): Buffer[] {
  const frames: Buffer[] = [];
  for (let at = 0; at < stream.length;) {
    if (stream.length - at < HEADER_BYTES || (stream.readUInt16BE(at) & 0xfff6) !== 0xfff0)
      throw new Error(`no ADTS frame at byte ${at} of ${stream.length}`);
    const withoutChecksum = ((stream[at + 1] as number) & 1) === 1;
    const length = (stream.readUIntBE(at + 3, 3) >> 5) & 0x1fff;
    if (length < HEADER_BYTES || at + length > stream.length)
      throw new Error(`a torn ADTS frame at byte ${at} of ${stream.length}`);
    frames.push(stream.subarray(at + (withoutChecksum ? HEADER_BYTES : HEADER_BYTES + 2), at + length));
    at += length;
  }
  return frames;
}

/** Raw AAC-LC frames, 48 kHz stereo, as an ADTS stream that FFmpeg decodes without any hint. */
export function joinAdts(frames: readonly Buffer[]): Buffer {
  return Buffer.concat(
    frames.flatMap((frame) => {
      const length = frame.length + HEADER_BYTES;
      // Syncword, MPEG-4, no checksum; AAC-LC, 48 kHz (index 3), 2 channels; length; buffer fullness "variable".
      const header = Buffer.from([0xff, 0xf1, 0x4c, 0x80, 0, 0, 0xfc]);
      header[3] = 0x80 | (length >> 11);
      header[4] = (length >> 3) & 0xff;
      header[5] = ((length & 7) << 5) | 0x1f;
      return [header, frame];
    }),
  );
}
