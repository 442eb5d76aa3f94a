import {
  portOption,
  secondsOption,
  tokenFor,
  tokenOption,
  vibeOption,
  wholeNumberOption,
} from '../../src/cli/options';

describe('options of the command line', () => {
  it('take what makes sense', () => {
    expect(vibeOption('metis_vibe_1-a')).toBe('metis_vibe_1-a');
    expect(secondsOption('2.5')).toBe(2.5);
    expect(wholeNumberOption('44100')).toBe(44_100);
    expect(portOption('65535')).toBe(65_535);
  });

  it('take a token from the environment, too', () => {
    const env = { VIBESFLOW_TOKEN: 'of-the-environment\n' };
    expect(tokenFor({}, { env: {} })).toBeUndefined();
    expect(tokenFor({}, { env })).toBe('of-the-environment');
    expect(tokenFor({ token: 'said' }, { env })).toBe('said');
    expect(() => tokenOption().parseArg?.('two lines\r\nX: y', undefined)).toThrow(/in one line/);
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
