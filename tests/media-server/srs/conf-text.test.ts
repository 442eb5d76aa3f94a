import { block, comment, confText, set, setPath, unexplained } from '../../../src/media-server/srs/conf-text';
import { versionFor } from '../../../src/media-server/srs/lines';

describe('the text of a configuration', () => {
  const text = (...directives: Parameters<typeof confText>[0]): string =>
    confText(directives, versionFor('7'));

  it('has a line for each directive, after its reason', () => {
    expect(text(set('daemon', 'off', 'In the foreground.'), set('utc_time', 'on'))).toBe(
      '\n# In the foreground.\ndaemon off;\nutc_time on;',
    );
  });

  it('indents blocks, and gives them what stands beside their name', () => {
    const play = block('play', '', [set('mw_latency', 20, 'Measured.')]);
    expect(text(block('vhost whip', 'Browsers.', [play]))).toBe(
      [
        '',
        '# Browsers.',
        'vhost whip {',
        '    play {',
        '        # Measured.',
        '        mw_latency 20;',
        '    }',
        '}',
      ].join('\n'),
    );
  });

  it('leaves out what the release does not take, blocks as a whole', () => {
    const both = [set('listen', 1935), block('rtmp', '', [set('listen', 1935)])];
    expect(confText(both, versionFor('7.0.63'))).toBe('listen 1935;');
    expect(confText(both, versionFor('7.0.64'))).toBe('\nrtmp {\n    listen 1935;\n}');
  });

  it('writes several words as such, and a path as one', () => {
    const rules = [set('allow', 'publish 127.0.0.1')];
    expect(text(block('vhost v', '', [block('security', '', rules)]))).toContain('allow publish 127.0.0.1;');
    expect(text(setPath('pid', '/srv/my relay/srs.pid'))).toBe('pid "/srv/my relay/srs.pid";');
    expect(text(setPath('pid', '/srv/{a;b}#1/srs.pid'))).toBe('pid "/srv/{a;b}#1/srs.pid";');
  });

  it.each(['/srv/"quoted"/srs.pid', '/srv/two\nlines', '/srv/nul\0'])('refuses the path %j', (path) => {
    expect(() => text(setPath('pid', path))).toThrow(/cannot be written in a configuration of SRS/);
  });

  it('refuses a directive that nobody looked up', () => {
    expect(() => text(set('deamon', 'off'))).toThrow('deamon is not in the table');
  });

  it('breaks comments between words, behind their indent', () => {
    const lines = comment('word '.repeat(60), '    ');
    expect(lines.length).toBeGreaterThan(2);
    for (const line of lines) expect(line).toMatch(/^ {4}# word( word)*$/);
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(110);
    expect(comment('')).toEqual([]);
  });

  it('can do without reasons', () => {
    const explained = [block('stats', 'Why.', [set('network', 0, 'Because.')])];
    expect(text(...unexplained(explained))).toBe('\nstats {\n    network 0;\n}');
  });
});
