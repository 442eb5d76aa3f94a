import { sampleBytes, valueBytes, type PcmFormat } from '../audio/pcm';

const BYTES = 68;
const FLOAT = 1;
const LITTLE_ENDIAN = 2;
/**
 * The data chunk's length in bytes: for ever (46 years of 48 kHz stereo). The format has -1 for "unknown", but then
 * FFmpeg refuses packets of more than 4096 bytes.
 */
const ENDLESS = 1n << 48n;

/** Sample formats that Core Audio Format can hold; its 8-bit samples are signed, ours are not. */
export function fitsCaf(format: PcmFormat): boolean {
  return format.sampleFormat !== 'u8' && format.sampleFormat.endsWith('le');
}

/**
 * The head of a Core Audio Format stream without an end: the samples follow it directly.
 * @param format little-endian, and not `u8`
 * @param packetSamples samples of one packet: FFmpeg reads exactly this many at a time
 */
export function cafHeader(format: PcmFormat, packetSamples: number): Buffer {
  const head = Buffer.alloc(BYTES);
  head.write('caff', 0, 'latin1');
  head.writeUInt16BE(1, 4);
  head.write('desc', 8, 'latin1');
  head.writeBigInt64BE(32n, 12);
  head.writeDoubleBE(format.sampleRate, 20);
  head.write('lpcm', 28, 'latin1');
  head.writeUInt32BE(LITTLE_ENDIAN | (format.sampleFormat === 'f32le' ? FLOAT : 0), 32);
  head.writeUInt32BE(sampleBytes(format) * packetSamples, 36);
  head.writeUInt32BE(packetSamples, 40);
  head.writeUInt32BE(format.channels, 44);
  head.writeUInt32BE(valueBytes(format) * 8, 48);
  head.write('data', 52, 'latin1');
  head.writeBigInt64BE(ENDLESS, 56);
  return head; // the last four bytes are the data chunk's edit count, 0
}
