import { run } from '../../src/cli/program';
import { CapturedOutput } from '../helpers/captured-output';

async function conf(
  args: readonly string[],
  env: Record<string, string> = {},
): Promise<{ exitCode: number; site: string; stderr: string }> {
  const output = new CapturedOutput();
  const exitCode = await run(['nginx', 'conf', '--nginx-version', '1.22.1', ...args], output, env);
  return { exitCode, site: output.stdout.text, stderr: output.stderr.text };
}

/** The servers of an upstream. */
function serverOf(site: string, upstream: string): string | undefined {
  return new RegExp(`upstream vibesflow_${upstream} \\{[^}]*?server ([^;]+);`).exec(site)?.[1];
}

describe('vibesflow nginx conf', () => {
  it('takes the ports from the settings', async () => {
    const env = { PORT: '4001', MEDIA_HTTP_PORT: '4080' };
    const { exitCode, site } = await conf(['--domain', 'Radio.Example.org'], env);
    expect(exitCode).toBe(0);
    expect(site).toContain('server_name radio.example.org;');
    expect([serverOf(site, 'daemon'), serverOf(site, 'media')]).toEqual(['127.0.0.1:4001', '127.0.0.1:4080']);
  });

  it('goes to SRS where SRS is, and to the daemon at its own address', async () => {
    const env = { MEDIA_SERVER: 'srs', RTMP_URL: 'rtmp://10.1.2.3:1935/live', HOST: '0.0.0.0' };
    const { site } = await conf(['--domain', 'a.example'], env);
    expect([serverOf(site, 'daemon'), serverOf(site, 'media')]).toEqual(['127.0.0.1:3001', '10.1.2.3:8080']);
    const six = await conf(['--domain', 'a.example'], { HOST: '::1' });
    expect(serverOf(six.site, 'daemon')).toBe('[::1]:3001');
  });

  it('believes what it is told over the settings', async () => {
    const { site } = await conf(
      ['--domain', 'a.example', '--daemon', 'relay:3001', '--media', 'srs:8080', '--log-dir', '/srv/log'],
      { PORT: '4001' },
    );
    expect([serverOf(site, 'daemon'), serverOf(site, 'media')]).toEqual(['relay:3001', 'srs:8080']);
    expect(site).toContain('access_log /srv/log/vibesflow.access.log vibesflow;');
  });

  it('takes the host from PUBLIC_URL where it is https, and asks for it elsewhere', async () => {
    expect((await conf([], { PUBLIC_URL: 'https://radio.example.org' })).site).toContain(
      'server_name radio.example.org;',
    );
    const { exitCode, stderr, site } = await conf([]);
    expect([exitCode, site]).toEqual([64, '']);
    expect(stderr).toMatch(/^Which host\? .*--domain.*\n$/);
  });

  it('is for the nginx that it is told of', async () => {
    const { site } = await conf(['--domain', 'a.example', '--nginx-version', '1.27.0']);
    expect(site).toMatch(/^ {4}http2 on;$/m);
    expect((await conf(['--domain', 'a.example'])).site).toMatch(/^ {4}#http2 on;$/m);
  });

  it.each([
    [['--domain', 'a b'], /host name/],
    [['--domain', 'a.example;evil'], /host name/],
    [['--domain', '-a.example'], /host name/],
    [['--tls-key', 'relative.key'], /absolute path/],
    [['--tls-key', '/a;b'], /absolute path/],
    [['--listen-https', '70000'], /1 to 65535/],
    [['--address', 'everywhere'], /IPv4/],
    [['--daemon', '3001'], /host and a port/],
    [['--max-listeners', '0'], /whole number/],
    [['--nginx-version', 'new'], /version/],
  ])('refuses %j in one line, with exit code 64', async (args, line) => {
    const { exitCode, stderr, site } = await conf(['--domain', 'a.example', ...args]);
    expect([exitCode, site]).toEqual([64, '']);
    expect(stderr).toMatch(line);
    expect(stderr.trim().split('\n')).toHaveLength(1);
  });

  it('says what is wrong with the settings, with exit code 78', async () => {
    const { exitCode, stderr } = await conf(['--domain', 'a.example'], { PORT: 'many' });
    expect(exitCode).toBe(78);
    expect(stderr).toContain('PORT');
  });
});
