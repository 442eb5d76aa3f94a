import { cafHeader, fitsCaf } from '../../src/encoder/caf-header';

describe('a Core Audio Format header', () => {
  it('describes 16-bit stereo in packets of one AAC frame', () => {
    const head = cafHeader({ sampleFormat: 's16le', sampleRate: 48_000, channels: 2 }, 1_024);
    const expected = [
      '63616666 0001 0000', // 'caff', version 1, no flags
      '64657363 0000000000000020', // 'desc', 32 bytes
      '40e7700000000000 6c70636d', // 48000.0, 'lpcm'
      '00000002 00001000 00000400 00000002 00000010', // little-endian, 4096 bytes, 1024 samples, 2 channels, 16 bits
      '64617461 0001000000000000 00000000', // 'data', without end, edit count
    ];
    expect(head.toString('hex')).toBe(expected.join('').replaceAll(' ', ''));
  });

  it('marks floating point, and counts bytes of all channels', () => {
    const head = cafHeader({ sampleFormat: 'f32le', sampleRate: 44_100, channels: 6 }, 941);
    expect(head.readUInt32BE(32)).toBe(3);
    expect(head.readUInt32BE(36)).toBe(941 * 24);
    expect(head.readDoubleBE(20)).toBe(44_100);
    expect(head.readUInt32BE(48)).toBe(32);
  });

  it('is for little-endian formats of 16 bits and more', () => {
    const fits = (['u8', 's16le', 's24le', 's32le', 'f32le', 's16be'] as const).filter((sampleFormat) =>
      fitsCaf({ sampleFormat, sampleRate: 8_000, channels: 1 }),
    );
    expect(fits).toEqual(['s16le', 's24le', 's32le', 'f32le']);
  });
});
