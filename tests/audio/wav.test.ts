import { WavReader } from '../../src/audio/wav';
import { Problem } from '../../src/base/errors';

interface Header {
  readonly riff?: string;
  readonly tag?: number;
  readonly channels?: number;
  readonly rate?: number;
  readonly bits?: number;
  readonly blockBytes?: number;
  /** More bytes of the format chunk. */
  readonly extension?: Buffer;
  /** Whole chunks between format and audio. */
  readonly between?: Buffer;
  /** Whole chunks before the format. */
  readonly before?: Buffer;
  readonly dataBytes?: number;
}

function chunk(name: string, body: Buffer, length = body.length): Buffer {
  const head = Buffer.alloc(8);
  head.write(name, 'latin1');
  head.writeUInt32LE(length, 4);
  return Buffer.concat([head, body, Buffer.alloc(body.length % 2)]);
}

function wav(audio: Buffer, header: Header = {}): Buffer {
  const { riff = 'RIFF', tag = 1, channels = 2, rate = 48_000, bits = 16 } = header;
  const fmt = Buffer.alloc(16);
  fmt.writeUInt16LE(tag, 0);
  fmt.writeUInt16LE(channels, 2);
  fmt.writeUInt32LE(rate, 4);
  fmt.writeUInt32LE((rate * channels * bits) / 8, 8);
  fmt.writeUInt16LE(header.blockBytes ?? (channels * bits) / 8, 12);
  fmt.writeUInt16LE(bits, 14);
  const none = Buffer.alloc(0);
  return Buffer.concat([
    Buffer.from(`${riff}\xff\xff\xff\xffWAVE`, 'latin1'),
    header.before ?? none,
    chunk('fmt ', Buffer.concat([fmt, header.extension ?? none])),
    header.between ?? none,
    chunk('data', none, header.dataBytes ?? audio.length),
    audio,
  ]);
}

/** The rest of an extensible format chunk: its length, valid bits, speaker mask, and the sub-format. */
function extensible(tag: number, tail = '000000001000800000aa00389b71'): Buffer {
  const extension = Buffer.alloc(10);
  extension.writeUInt16LE(22, 0);
  extension.writeUInt16LE(tag, 8);
  return Buffer.concat([extension, Buffer.from(tail, 'hex')]);
}

const AUDIO = Buffer.from(Array.from({ length: 240 }, (_, index) => index));

function read(bytes: Buffer, cut = bytes.length) {
  const reader = new WavReader();
  const audio: Buffer[] = [];
  for (let at = 0; at < bytes.length; at += cut) audio.push(reader.push(bytes.subarray(at, at + cut)));
  return { format: reader.format, audio: Buffer.concat(audio) };
}

function refusal(bytes: Buffer): string | undefined {
  try {
    read(bytes);
  } catch (error) {
    if (error instanceof Problem) return error.code;
    throw error;
  }
  return undefined;
}

describe('a WAV reader', () => {
  it.each<[string, Header, object]>([
    ['16 bits', {}, { sampleFormat: 's16le', sampleRate: 48_000, channels: 2 }],
    [
      '8 bits, mono',
      { bits: 8, channels: 1, rate: 8_000 },
      { sampleFormat: 'u8', sampleRate: 8_000, channels: 1 },
    ],
    ['24 bits', { bits: 24 }, { sampleFormat: 's24le' }],
    ['32 bits', { bits: 32 }, { sampleFormat: 's32le' }],
    ['float', { tag: 3, bits: 32 }, { sampleFormat: 'f32le' }],
    ['eight channels', { channels: 8, rate: 192_000 }, { sampleRate: 192_000, channels: 8 }],
    ['an extensible header', { tag: 0xfffe, bits: 24, extension: extensible(1) }, { sampleFormat: 's24le' }],
    [
      'an extensible header, float',
      { tag: 0xfffe, bits: 32, extension: extensible(3) },
      { sampleFormat: 'f32le' },
    ],
    ['a longer format chunk', { extension: Buffer.alloc(3) }, { sampleFormat: 's16le' }],
  ])('understands %s', (_what, header, format) => {
    const result = read(wav(AUDIO, header));
    expect(result.format).toMatchObject(format);
    expect(result.audio).toEqual(AUDIO);
  });

  it('gives the same audio however the bytes are cut', () => {
    const bytes = Buffer.concat([
      wav(AUDIO, {
        before: chunk('JUNK', Buffer.alloc(27)),
        between: chunk('LIST', Buffer.from('INFO of odd length!')),
      }),
      chunk('id3 ', Buffer.from('tags')),
    ]);
    for (let cut = 1; cut <= bytes.length; cut += 1) expect(read(bytes, cut).audio).toEqual(AUDIO);
  });

  it('does not play what follows the audio', () => {
    expect(read(Buffer.concat([wav(AUDIO), chunk('LIST', Buffer.from('title'))])).audio).toEqual(AUDIO);
  });

  it.each([
    ['0', 0],
    ['2^32 - 1', 0xffffffff],
    ['more than there is', 0x7ffff000],
  ])('plays to the end where the length is %s: the writer could not seek', (_what, dataBytes) => {
    expect(read(wav(AUDIO, { dataBytes })).audio).toEqual(AUDIO);
  });

  it('takes the length of long files from their ds64 chunk', () => {
    const sizes = Buffer.alloc(28);
    sizes.writeBigUInt64LE(BigInt(AUDIO.length), 8);
    const bytes = wav(AUDIO, { riff: 'RF64', before: chunk('ds64', sizes), dataBytes: 0xffffffff });
    expect(read(Buffer.concat([bytes, chunk('LIST', Buffer.alloc(50))])).audio).toEqual(AUDIO);
  });

  it('gives views, not copies', () => {
    const bytes = wav(AUDIO);
    expect(new WavReader().push(bytes).buffer).toBe(bytes.buffer);
  });

  it.each<[string, Buffer, string]>([
    ['text', Buffer.from('hello, this is no wav'), 'invalid-audio-data'],
    ['a single wrong byte', Buffer.from('x'), 'invalid-audio-data'],
    ['another RIFF', Buffer.from('RIFF\x04\0\0\0AVI LIST'), 'invalid-audio-data'],
    ['big-endian RIFX', Buffer.from('RIFX\0\0\0\x04WAVE'), 'invalid-audio-data'],
    [
      'audio before the format',
      Buffer.concat([Buffer.from('RIFF\x04\0\0\0WAVE'), chunk('data', AUDIO)]),
      'invalid-audio-data',
    ],
    [
      'a format of two bytes',
      Buffer.concat([Buffer.from('RIFF\x04\0\0\0WAVE'), chunk('fmt ', Buffer.alloc(2))]),
      'invalid-audio-data',
    ],
    [
      'a format of gigabytes',
      Buffer.concat([Buffer.from('RIFF\x04\0\0\0WAVE'), chunk('fmt ', AUDIO, 0xfffffff0)]),
      'invalid-audio-data',
    ],
    [
      'a picture of gigabytes',
      Buffer.concat([Buffer.from('RIFF\x04\0\0\0WAVE'), chunk('PICT', AUDIO, 0xfffffff0)]),
      'invalid-audio-data',
    ],
    ['a wrong block alignment', wav(AUDIO, { blockBytes: 3 }), 'invalid-audio-data'],
    ['A-law', wav(AUDIO, { tag: 6, bits: 8 }), 'unsupported-format'],
    ['MP3 in WAV', wav(AUDIO, { tag: 0x55 }), 'unsupported-format'],
    ['64-bit float', wav(AUDIO, { tag: 3, bits: 64 }), 'unsupported-format'],
    ['12 bits', wav(AUDIO, { bits: 12, blockBytes: 4 }), 'unsupported-format'],
    [
      'an unknown sub-format',
      wav(AUDIO, { tag: 0xfffe, extension: extensible(1, '00'.repeat(14)) }),
      'unsupported-format',
    ],
    ['nine channels', wav(AUDIO, { channels: 9 }), 'unsupported-format'],
    ['no channels', wav(AUDIO, { channels: 0 }), 'unsupported-format'],
    ['a rate of 7999', wav(AUDIO, { rate: 7_999 }), 'unsupported-format'],
  ])('refuses %s', (_what, bytes, code) => {
    expect(refusal(bytes)).toBe(code);
  });

  it('says nothing of a header that goes on', () => {
    const bytes = wav(AUDIO);
    for (let length = 0; length < 44; length += 1) {
      const result = read(bytes.subarray(0, length));
      expect(result.audio).toHaveLength(0);
      expect(result.format === undefined).toBe(length < 36);
    }
  });
});
