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

  it.each([
    ['spaces', (length: number) => `a/b;${' '.repeat(length)}`],
    ['backslashes', (length: number) => `a/b;x="${'\\'.repeat(length)}`],
    ['parameters', (length: number) => `a/b${';a=b'.repeat(length / 4)};`],
  ])('is parsed in a time that grows as its length does, with any number of %s', (_what, text) => {
    // Sixteen times as long: some sixteen times the work, or two hundred times where something looks back each time.
    const [short, long] = [2_000, 32_000].map((length) => bestMs(text(length))) as [number, number];
    expect(long).toBeLessThan(Math.max(16 * 5 * short, 2));
  });
});

/** The best of many tries: what the machine does besides only ever adds. */
function bestMs(text: string): number {
  let best = Infinity;
  for (let tries = 0; tries < 30; tries += 1) {
    const startMs = performance.now();
    parseMediaType(text);
    best = Math.min(best, performance.now() - startMs);
  }
  return best;
}
