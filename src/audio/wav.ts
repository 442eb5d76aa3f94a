import { Problem } from '../base/errors';
import { parseFormat, type PcmFormat, sampleBytes } from './pcm';

const PCM = 1;
const FLOAT = 3;
const EXTENSIBLE = 0xfffe;
/** The bytes that follow the format's number in the sub-format of an extensible header. */
const SUBFORMAT_TAIL = Buffer.from('000000001000800000aa00389b71', 'hex');
/** Longer headers have nothing to do with audio. The longest known, extensible, is 40 bytes. */
const MAX_FMT_BYTES = 1_024;
/** Bytes of other chunks (pictures, tags) before the audio. */
const MAX_SKIPPED_BYTES = 1024 * 1024;
/** What writers that cannot seek leave as a length: the audio goes on to the end. */
const UNKNOWN_LENGTHS = new Set([0, 0xffffffff]);

type Phase = 'riff' | 'chunk' | 'fmt' | 'ds64' | 'skip' | 'data' | 'after';

/**
 * Reads RIFF/WAVE (and RF64) piece by piece, however it is cut: header first, then audio as it comes. What follows the
 * audio is not played.
 */
export class WavReader {
  #phase: Phase = 'riff';
  /** Header bytes that are not understood yet. */
  #pending: Buffer = Buffer.alloc(0);
  /** Bytes left of the chunk that is being read. */
  #left = 0;
  #skipped = 0;
  #format: PcmFormat | undefined;
  #longDataBytes: number | undefined;

  /** Known once the header has come. */
  get format(): PcmFormat | undefined {
    return this.#format;
  }

  /**
   * Takes the next bytes.
   * @returns the audio among them, a view, not cut at samples; empty while the header goes on
   * @throws {Problem} `invalid-audio-data` (400) for what is no WAV, `unsupported-format` (415) for other than linear PCM
   */
  push(bytes: Buffer): Buffer {
    let rest = this.#pending.length > 0 ? Buffer.concat([this.#pending, bytes]) : bytes;
    this.#pending = Buffer.alloc(0);
    for (;;) {
      if (this.#phase === 'data') return this.#takeAudio(rest);
      if (this.#phase === 'after') return rest.subarray(0, 0);
      const taken = this.#readHeader(rest);
      if (taken === undefined) {
        // A copy: the header must not keep the network's buffers alive.
        this.#pending = Buffer.from(rest);
        return rest.subarray(0, 0);
      }
      rest = rest.subarray(taken);
    }
  }

  #takeAudio(bytes: Buffer): Buffer {
    const audio = bytes.length > this.#left ? bytes.subarray(0, this.#left) : bytes;
    this.#left -= audio.length;
    if (this.#left === 0) this.#phase = 'after';
    return audio;
  }

  /** Understands one step of the header. @returns the bytes it took; nothing where more are needed */
  #readHeader(bytes: Buffer): number | undefined {
    switch (this.#phase) {
      case 'riff':
        return this.#readRiff(bytes);
      case 'chunk':
        return this.#readChunk(bytes);
      case 'skip':
        return this.#skip(bytes);
      case 'fmt':
        if (bytes.length < this.#left) return undefined;
        this.#format = readFormat(bytes.subarray(0, this.#left));
        return this.#endChunk();
      case 'ds64':
        if (bytes.length < this.#left) return undefined;
        this.#longDataBytes = Number(bytes.readBigUInt64LE(8));
        return this.#endChunk();
      case 'data':
      case 'after':
        return undefined;
    }
  }

  #readRiff(bytes: Buffer): number | undefined {
    const start = bytes.toString('latin1', 0, Math.min(4, bytes.length));
    if (!['RIFF', 'RF64'].some((name) => name.startsWith(start))) throw noWav('it does not begin with RIFF');
    if (bytes.length < 12) return undefined;
    if (bytes.toString('latin1', 8, 12) !== 'WAVE') throw noWav('it is RIFF, but not WAVE');
    this.#phase = 'chunk';
    return 12;
  }

  #readChunk(bytes: Buffer): number | undefined {
    if (bytes.length < 8) return undefined;
    const name = bytes.toString('latin1', 0, 4);
    const length = bytes.readUInt32LE(4);
    if (name === 'data') {
      if (!this.#format) throw noWav('its audio comes before its format');
      this.#left = UNKNOWN_LENGTHS.has(length) ? this.#longDataBytes || Infinity : length;
      this.#phase = 'data';
    } else if (name === 'fmt ') {
      if (length < 16 || length > MAX_FMT_BYTES) throw noWav('its format chunk has a strange length');
      this.#left = length;
      this.#phase = 'fmt';
    } else if (name === 'ds64') {
      if (length < 28 || length > MAX_FMT_BYTES) throw noWav('its ds64 chunk has a strange length');
      this.#left = length;
      this.#phase = 'ds64';
    } else {
      // Chunks begin at even offsets.
      this.#left = length + (length % 2);
      this.#skipped += this.#left;
      if (this.#skipped > MAX_SKIPPED_BYTES) throw noWav('no audio comes for too long');
      this.#phase = 'skip';
    }
    return 8;
  }

  #skip(bytes: Buffer): number | undefined {
    if (this.#left === 0) {
      this.#phase = 'chunk';
      return 0;
    }
    if (bytes.length === 0) return undefined;
    const taken = Math.min(bytes.length, this.#left);
    this.#left -= taken;
    return taken;
  }

  /** The chunk that was just understood is over; its padding is skipped. */
  #endChunk(): number {
    const taken = this.#left;
    this.#left = taken % 2;
    this.#phase = 'skip';
    return taken;
  }
}

function readFormat(fmt: Buffer): PcmFormat {
  let tag = fmt.readUInt16LE(0);
  const channels = fmt.readUInt16LE(2);
  const sampleRate = fmt.readUInt32LE(4);
  const blockBytes = fmt.readUInt16LE(12);
  const bits = fmt.readUInt16LE(14);
  if (tag === EXTENSIBLE && fmt.length >= 40 && fmt.subarray(26, 40).equals(SUBFORMAT_TAIL))
    tag = fmt.readUInt16LE(24);
  const sampleFormat = nameOf(tag, bits);
  if (!sampleFormat) {
    throw new Problem(
      'unsupported-format',
      `Only linear PCM is taken from a WAV: 8, 16, 24 or 32 bits, or 32-bit float; this is format ${tag} with ${bits} bits.`,
    );
  }
  const format = parseFormat({ sampleFormat, sampleRate, channels });
  if (sampleBytes(format) !== blockBytes) throw noWav('its block alignment does not fit its format');
  return format;
}

function nameOf(tag: number, bits: number): string | undefined {
  if (tag === FLOAT) return bits === 32 ? 'f32le' : undefined;
  if (tag !== PCM) return undefined;
  return { 8: 'u8', 16: 's16le', 24: 's24le', 32: 's32le' }[bits];
}

function noWav(why: string): Problem {
  return new Problem('invalid-audio-data', `This is not a WAV file that can be played: ${why}.`);
}
