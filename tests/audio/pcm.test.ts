import {
  DEFAULT_FORMAT,
  describeFormat,
  littleEndian,
  parseFormat,
  type PcmFormat,
  SAMPLE_FORMATS,
  sameFormat,
  sampleBytes,
  silence,
  toLittleEndian,
  valueAccess,
  valueBytes,
} from '../../src/audio/pcm';
import { Problem } from '../../src/base/errors';

const format = (sampleFormat: PcmFormat['sampleFormat'], channels = 1): PcmFormat => ({
  sampleFormat,
  sampleRate: 48_000,
  channels,
});

function refusal(said: { sampleFormat: string; sampleRate: number; channels: number }): string | undefined {
  try {
    parseFormat(said);
  } catch (error) {
    if (error instanceof Problem) return error.code;
    throw error;
  }
  return undefined;
}

describe('a PCM format', () => {
  it.each(SAMPLE_FORMATS)(
    'may be %s, at the lowest and the highest rate, of one to eight channels',
    (sampleFormat) => {
      for (const sampleRate of [8_000, 192_000]) {
        for (const channels of [1, 8])
          expect(parseFormat({ sampleFormat, sampleRate, channels })).toEqual({
            sampleFormat,
            sampleRate,
            channels,
          });
      }
    },
  );

  it.each([
    ['s16', 48_000, 2],
    ['mp3', 48_000, 2],
    ['', 48_000, 2],
    ['s16le', 7_999, 2],
    ['s16le', 192_001, 2],
    ['s16le', 44_100.5, 2],
    ['s16le', Number.NaN, 2],
    ['s16le', 48_000, 0],
    ['s16le', 48_000, 9],
    ['s16le', 48_000, 1.5],
    ['s16le', 48_000, Number.POSITIVE_INFINITY],
  ])('cannot be %s at %d Hz with %d channels', (sampleFormat, sampleRate, channels) => {
    expect(refusal({ sampleFormat, sampleRate, channels })).toBe('unsupported-format');
  });

  it.each([
    ['u8', 1],
    ['s16le', 2],
    ['s16be', 2],
    ['s24le', 3],
    ['s24be', 3],
    ['s32le', 4],
    ['s32be', 4],
    ['f32le', 4],
    ['f32be', 4],
  ] as const)('%s has values of %i bytes', (name, bytes) => {
    expect(valueBytes(format(name))).toBe(bytes);
    expect(sampleBytes(format(name, 6))).toBe(bytes * 6);
  });

  it('is what Lyria sends unless said otherwise', () => {
    expect(describeFormat(DEFAULT_FORMAT)).toBe('48000 Hz, 2 channels, s16le');
    expect(describeFormat(format('u8'))).toBe('48000 Hz, 1 channel, u8');
  });

  it('is the same only in all its parts', () => {
    expect(sameFormat(DEFAULT_FORMAT, { ...DEFAULT_FORMAT })).toBe(true);
    expect(sameFormat(DEFAULT_FORMAT, { ...DEFAULT_FORMAT, channels: 1 })).toBe(false);
    expect(sameFormat(DEFAULT_FORMAT, { ...DEFAULT_FORMAT, sampleRate: 44_100 })).toBe(false);
    expect(sameFormat(DEFAULT_FORMAT, { ...DEFAULT_FORMAT, sampleFormat: 's16be' })).toBe(false);
  });
});

describe('byte order', () => {
  it.each([
    ['s16be', '01020304', '02010403'],
    ['s24be', '010203040506', '030201060504'],
    ['s32be', '0102030405060708', '0403020108070605'],
    ['f32be', '3f800000bf800000', '0000803f000080bf'],
  ] as const)('of %s is turned, and the sender’s bytes stay as they are', (name, sent, turned) => {
    const bytes = Buffer.from(sent, 'hex');
    expect(toLittleEndian(bytes, format(name)).toString('hex')).toBe(turned);
    expect(bytes.toString('hex')).toBe(sent);
    expect(littleEndian(format(name)).sampleFormat).toBe(name.replace('be', 'le'));
  });

  it.each(['u8', 's16le', 's24le', 's32le', 'f32le'] as const)('of %s needs no copy', (name) => {
    const bytes = Buffer.from('010203040506070809101112', 'hex');
    expect(toLittleEndian(bytes, format(name))).toBe(bytes);
    expect(littleEndian(format(name))).toEqual(format(name));
  });
});

describe('floats that are no sound', () => {
  const NO_SOUND = [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 1e30, -1.1e6];
  const SOUND = [0, -0, 0.25, -1, 1.5, 1e-40, -1e6];

  it.each(['f32le', 'f32be'] as const)('become silence in %s, and their neighbours stay', (name) => {
    const sent = Buffer.alloc(4 * (NO_SOUND.length + SOUND.length) + 4);
    const wanted = Buffer.alloc(sent.length);
    [...SOUND, ...NO_SOUND, 0.5].forEach((value, index) => {
      if (name === 'f32le') sent.writeFloatLE(value, index * 4);
      else sent.writeFloatBE(value, index * 4);
      wanted.writeFloatLE(NO_SOUND.includes(value) ? 0 : value, index * 4);
    });
    const before = Buffer.from(sent);
    expect(toLittleEndian(sent, format(name))).toEqual(wanted);
    expect(sent).toEqual(before);
  });

  it('are found wherever the bytes lie in memory', () => {
    const memory = Buffer.alloc(13);
    memory.writeFloatLE(Number.NaN, 5);
    expect(toLittleEndian(memory.subarray(1, 13), format('f32le'))).toEqual(Buffer.alloc(12));
  });

  it('are only looked for among floats', () => {
    const bytes = Buffer.alloc(8, 0xff);
    for (const name of ['u8', 's16le', 's32le'] as const)
      expect(toLittleEndian(bytes, format(name))).toBe(bytes);
  });
});

describe('silence', () => {
  it.each(SAMPLE_FORMATS)('of %s is 0 for the ear, and has the length of its samples', (name) => {
    const bytes = silence(5, format(name, 2));
    expect(bytes).toHaveLength(5 * sampleBytes(format(name, 2)));
    const { read } = valueAccess(littleEndian(format(name, 2)));
    for (let at = 0; at < bytes.length; at += valueBytes(format(name))) expect(read(bytes, at)).toBe(0);
  });
});

describe('reading and writing values', () => {
  it.each([
    ['u8', 8],
    ['s16le', 16],
    ['s24le', 24],
    ['s32le', 32],
  ] as const)('%s: every bit survives, and what is too loud is held at full scale', (name, bits) => {
    const { read, write } = valueAccess(format(name));
    const scale = 2 ** (bits - 1);
    const bytes = Buffer.alloc(valueBytes(format(name)));
    for (const value of [-scale, -scale + 1, -1, 0, 1, 77, scale - 1]) {
      write(bytes, 0, value / scale);
      expect(read(bytes, 0) * scale).toBe(value);
    }
    write(bytes, 0, 1.5);
    expect(read(bytes, 0) * scale).toBe(scale - 1);
    write(bytes, 0, -1.5);
    expect(read(bytes, 0) * scale).toBe(-scale);
  });

  it('f32le: floats are as they are', () => {
    const { read, write } = valueAccess(format('f32le'));
    const bytes = Buffer.alloc(4);
    for (const value of [-1.5, -0.25, 0, 0.5, 2]) {
      write(bytes, 0, value);
      expect(read(bytes, 0)).toBe(value);
    }
  });
});
