import { Problem } from '../base/errors';

/** Sample formats that creators may send. The suffix is the byte order. */
export const SAMPLE_FORMATS = [
  'u8',
  's16le',
  's16be',
  's24le',
  's24be',
  's32le',
  's32be',
  'f32le',
  'f32be',
] as const;
export type SampleFormat = (typeof SAMPLE_FORMATS)[number];

export const MIN_SAMPLE_RATE = 8_000;
export const MAX_SAMPLE_RATE = 192_000;
export const MAX_CHANNELS = 8;

/**
 * Interleaved linear PCM. A *sample* is one instant of all channels together, so counts of samples are lengths of
 * time: `samples / sampleRate` seconds.
 */
export interface PcmFormat {
  readonly sampleFormat: SampleFormat;
  /** Samples a second, 8000–192000. */
  readonly sampleRate: number;
  /** 1–8. */
  readonly channels: number;
}

/** What a creator that says nothing is taken to send: what Lyria sends. */
export const DEFAULT_FORMAT: PcmFormat = { sampleFormat: 's16le', sampleRate: 48_000, channels: 2 };

const WIDTHS: Readonly<Record<SampleFormat, number>> = {
  u8: 1,
  s16le: 2,
  s16be: 2,
  s24le: 3,
  s24be: 3,
  s32le: 4,
  s32be: 4,
  f32le: 4,
  f32be: 4,
};

/** Bytes of one channel's value. */
export function valueBytes(format: PcmFormat): number {
  return WIDTHS[format.sampleFormat];
}

/** Bytes of one sample of all channels: what WAV calls the block alignment. */
export function sampleBytes(format: PcmFormat): number {
  return WIDTHS[format.sampleFormat] * format.channels;
}

export function sameFormat(a: PcmFormat, b: PcmFormat): boolean {
  return a.sampleFormat === b.sampleFormat && a.sampleRate === b.sampleRate && a.channels === b.channels;
}

/** `48000 Hz, 2 channels, s16le`: for messages to people. */
export function describeFormat(format: PcmFormat): string {
  return `${format.sampleRate} Hz, ${format.channels} channel${format.channels === 1 ? '' : 's'}, ${format.sampleFormat}`;
}

/**
 * A checked format from what a client said.
 * @throws {Problem} `unsupported-format` (415) for an unknown sample format, a rate or a channel count out of bounds
 */
export function parseFormat(said: { sampleFormat: string; sampleRate: number; channels: number }): PcmFormat {
  const sampleFormat = SAMPLE_FORMATS.find((known) => known === said.sampleFormat);
  if (!sampleFormat) {
    throw new Problem(
      'unsupported-format',
      `Sample format ${JSON.stringify(said.sampleFormat.slice(0, 32))} is not known; use one of ${SAMPLE_FORMATS.join(', ')}.`,
    );
  }
  const { sampleRate, channels } = said;
  if (!Number.isInteger(sampleRate) || sampleRate < MIN_SAMPLE_RATE || sampleRate > MAX_SAMPLE_RATE) {
    throw new Problem(
      'unsupported-format',
      `The sample rate must be a whole number from ${MIN_SAMPLE_RATE} to ${MAX_SAMPLE_RATE}.`,
    );
  }
  if (!Number.isInteger(channels) || channels < 1 || channels > MAX_CHANNELS) {
    throw new Problem('unsupported-format', `There must be 1 to ${MAX_CHANNELS} channels.`);
  }
  return { sampleFormat, sampleRate, channels };
}

/** The same format with little-endian bytes: how audio lies in the jitter buffer and goes to FFmpeg. */
export function littleEndian(format: PcmFormat): PcmFormat {
  return { ...format, sampleFormat: format.sampleFormat.replace(/be$/, 'le') as SampleFormat };
}

/**
 * The largest float that is passed on, a million times full scale. One NaN ends FFmpeg's AAC encoder ("Input contains
 * (near) NaN/+-Inf"), and with values of 1e8 its coder was seen to run for minutes without an end; 1e6 went well.
 */
const MAX_FLOAT = 1e6;

/**
 * The same samples as an encoder can take them: with little-endian bytes, and with silence for floats that are no
 * sound (NaN, infinite, above a million times full scale). What needs no change comes back as it is, without a copy;
 * the rest as a new buffer.
 * @param bytes whole samples
 */
export function toLittleEndian(bytes: Buffer, format: PcmFormat): Buffer {
  const turned = format.sampleFormat.endsWith('be') ? swapped(bytes, format) : bytes;
  return format.sampleFormat.startsWith('f32') ? withoutStrayFloats(turned) : turned;
}

function withoutStrayFloats(bytes: Buffer): Buffer {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  let copy: Buffer | undefined;
  for (let at = 0; at + 3 < bytes.length; at += 4) {
    if (Math.abs(view.getFloat32(at, true)) <= MAX_FLOAT) continue;
    copy ??= Buffer.from(bytes);
    copy.writeFloatLE(0, at);
  }
  return copy ?? bytes;
}

function swapped(bytes: Buffer, format: PcmFormat): Buffer {
  const copy = Buffer.from(bytes);
  const width = valueBytes(format);
  if (width === 2) return copy.swap16();
  if (width === 4) return copy.swap32();
  for (let at = 0; at + 2 < copy.length; at += 3) {
    const first = copy[at] as number;
    copy[at] = copy[at + 2] as number;
    copy[at + 2] = first;
  }
  return copy;
}

/**
 * Pieces that follow each other as one. An AAC frame of 1024 samples mostly lies in two chunks of 20 ms: a copy of it costs
 * less than a second write, and FFmpeg is not woken for a part of a frame that it cannot encode yet.
 * @param pieces at least one; a single one comes back as it is, without a copy
 */
export function joined(pieces: readonly Buffer[]): Buffer {
  return pieces.length === 1 ? (pieces[0] as Buffer) : Buffer.concat(pieces);
}

/** `samples` samples of silence (128 is the middle of unsigned bytes). */
export function silence(samples: number, format: PcmFormat): Buffer {
  return Buffer.alloc(samples * sampleBytes(format), format.sampleFormat === 'u8' ? 0x80 : 0);
}

/** Reads the value at byte `at` as a number from -1 to 1. For little-endian formats. */
export type ValueReader = (bytes: Buffer, at: number) => number;
/** Writes a number from -1 to 1 at byte `at`. For little-endian formats. */
export type ValueWriter = (bytes: Buffer, at: number, value: number) => void;

/** How to read and write one value of a little-endian format. Scales are powers of two, so s16 and s24 survive. */
export function valueAccess(format: PcmFormat): { read: ValueReader; write: ValueWriter } {
  const sampleFormat = format.sampleFormat.slice(0, 3);
  if (sampleFormat === 'u8') {
    return {
      read: (bytes, at) => ((bytes[at] as number) - 128) / 128,
      write: (bytes, at, value) => void (bytes[at] = clamp(value, 128) + 128),
    };
  }
  if (sampleFormat === 's24') {
    return {
      read: (bytes, at) => bytes.readIntLE(at, 3) / 8_388_608,
      write: (bytes, at, value) => void bytes.writeIntLE(clamp(value, 8_388_608), at, 3),
    };
  }
  if (sampleFormat === 's32') {
    return {
      read: (bytes, at) => bytes.readInt32LE(at) / 2_147_483_648,
      write: (bytes, at, value) => void bytes.writeInt32LE(clamp(value, 2_147_483_648), at),
    };
  }
  if (sampleFormat === 'f32') {
    return {
      read: (bytes, at) => bytes.readFloatLE(at),
      write: (bytes, at, value) => void bytes.writeFloatLE(value, at),
    };
  }
  return {
    read: (bytes, at) => bytes.readInt16LE(at) / 32_768,
    write: (bytes, at, value) => void bytes.writeInt16LE(clamp(value, 32_768), at),
  };
}

function clamp(value: number, scale: number): number {
  return Math.max(-scale, Math.min(scale - 1, Math.round(value * scale)));
}
