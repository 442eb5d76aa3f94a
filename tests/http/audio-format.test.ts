import { SAMPLE_FORMATS } from '../../src/audio/pcm';
import { Problem } from '../../src/base/errors';
import { resolveFormat, type SaidFormat } from '../../src/http/audio-format';

function resolve(said: SaidFormat): string {
  try {
    const { sampleFormat, sampleRate, channels } = resolveFormat(said);
    return `${sampleFormat} ${sampleRate} ${channels}`;
  } catch (error) {
    if (error instanceof Problem) return error.code;
    throw error;
  }
}

describe('what a client says of its samples', () => {
  it.each(SAMPLE_FORMATS)('may be the name %s', (format) => {
    expect(resolve({ format })).toBe(`${format} 48000 2`);
    expect(resolve({ format: `PCM_${format.toUpperCase()}` })).toBe(`${format} 48000 2`);
  });

  it.each<[SaidFormat, string]>([
    [{}, 's16le 48000 2'],
    [{ sampleRate: 44_100, channels: 1 }, 's16le 44100 1'],
    [{ sampleRate: '44100', channels: '1' }, 's16le 44100 1'],
    [{ endian: 'BIG' }, 's16be 48000 2'],
    [{ endian: 'little' }, 's16le 48000 2'],
    [{ format: 's24', endian: 'big' }, 's24be 48000 2'],
    [{ format: 's24be', endian: 'big' }, 's24be 48000 2'],
    [{ format: 'float32' }, 'f32le 48000 2'],
    [{ format: 'float32be' }, 'f32be 48000 2'],
    [{ format: 'int16' }, 's16le 48000 2'],
    [{ format: 'u8', endian: 'big' }, 'u8 48000 2'],
  ])('%j is understood', (said, format) => {
    expect(resolve(said)).toBe(format);
  });

  it.each<SaidFormat>([
    { format: '' },
    { format: 'le' },
    { format: 's16xe' },
    { format: 'u8le' },
    { format: 's20le' },
    { format: 'constructor' },
    { format: 's16le', endian: 'big' },
    { format: 's16be', endian: 'little' },
    { endian: 'middle' },
    { sampleRate: '48k' },
    { sampleRate: '4.8e4' },
    { sampleRate: ' 48000' },
    { sampleRate: '-48000' },
    { sampleRate: Number.POSITIVE_INFINITY },
    { channels: '' },
    { channels: 1.5 },
  ])('%j is refused', (said) => {
    expect(resolve(said)).toBe('unsupported-format');
  });
});
