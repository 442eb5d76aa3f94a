import { portOption, secondsOption, vibeOption, wholeNumberOption } from '../../src/cli/options';

describe('options of the command line', () => {
  it('take what makes sense', () => {
    expect(vibeOption('metis_vibe_1-a')).toBe('metis_vibe_1-a');
    expect(secondsOption('2.5')).toBe(2.5);
    expect(wholeNumberOption('44100')).toBe(44_100);
    expect(portOption('65535')).toBe(65_535);
  });

  it.each([
    [vibeOption, 'a.b'],
    [vibeOption, ''],
    [secondsOption, '0'],
    [secondsOption, 'ten'],
    [secondsOption, '1e9'],
    [wholeNumberOption, '4.5'],
    [wholeNumberOption, '-1'],
    [portOption, '65536'],
    [portOption, '0'],
  ])('refuse what does not: %p %s', (option, text) => {
    expect(() => option(text)).toThrow(/It must be/);
  });
});
