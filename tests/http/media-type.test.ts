import { parseMediaType } from '../../src/http/media-type';

const parse = (text: string) => {
  const media = parseMediaType(text);
  return media && [media.type, Object.fromEntries(media.parameters)];
};

describe('a media type', () => {
  it.each([
    ['audio/pcm', 'audio/pcm', {}],
    ['AUDIO/L16;Rate=48000;CHANNELS=2', 'audio/l16', { rate: '48000', channels: '2' }],
    [' audio/l16 ; channels = 2 ; rate="48000" ', 'audio/l16', { channels: '2', rate: '48000' }],
    ['audio/pcm;', 'audio/pcm', {}],
    ['audio/pcm; rate=1; rate=2', 'audio/pcm', { rate: '1' }],
    ['text/plain;charset="a\\"b;c"', 'text/plain', { charset: 'a"b;c' }],
    ['audio/pcm;__proto__=x', 'audio/pcm', Object.fromEntries([['__proto__', 'x']])],
  ])('%s', (text, type, parameters) => {
    expect(parse(text)).toEqual([type, parameters]);
  });

  it.each([
    '',
    'audio',
    'audio/',
    '/pcm',
    'audio/pcm rate=1',
    'audio/pcm;rate',
    'audio/pcm;rate="1',
    'a b/c',
  ])('is not %j', (text) => {
    expect(parse(text)).toBeUndefined();
  });

  it('is parsed in no time, whatever it is', () => {
    const started = performance.now();
    for (const text of [
      `a/b;${' '.repeat(16_000)}`,
      `a/b;x="${'\\'.repeat(16_000)}`,
      `a/b${';a=b'.repeat(4_000)};`,
    ])
      parseMediaType(text);
    expect(performance.now() - started).toBeLessThan(200);
  });
});
