import { lastWords } from '../../../src/media-server/srs-supervisor/driver';

describe('what SRS says against its configuration', () => {
  it('is its error, without time, process and colours', () => {
    const said = [
      '[2026-11-21 12:00:00.000][INFO][1][x] XCORE-SRS/7.0.18(Hang)',
      '\u001b[33m[2026-11-21 12:00:00.000][WARN][1][x][22] stats disk not configed',
      '\u001b[0m\u001b[31m[2026-11-21 12:00:00.000][ERROR][1][x][1023] Failed, code=1023 : illegal directive lisen',
      'thread [1][x]: check() [src/app/config.cpp:1]',
    ].join('\n');
    expect(lastWords(said)).toBe('Failed, code=1023 : illegal directive lisen');
  });

  it('is its last line where nothing looks like an error', () => {
    expect(lastWords('one\ntwo\n\n')).toBe('two');
    expect(lastWords('')).toBe('');
  });
});
