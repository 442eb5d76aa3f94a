import { readFileSync } from 'node:fs';
import path from 'node:path';
import { parseEnv } from 'node:util';
import { OperatorError } from '../../src/base/errors';
import { renderSite, type SiteOptions, siteVariables, TEMPLATE_FILE } from '../../src/cli/nginx-site';
import { itNeeds } from '../helpers/players';
import { runProgram } from '../helpers/run-program';

const OPTIONS: SiteOptions = {
  domain: 'radio.example.org',
  daemon: '127.0.0.1:3001',
  media: '127.0.0.1:8080',
};
const NEW = { http2Directive: true, postQuantum: true };
const SITE_ENV = path.join(path.dirname(TEMPLATE_FILE), 'site.env');

/** The lines of a site without comments. */
function directives(site: string): string[] {
  return site
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('#'));
}

describe('the nginx site', () => {
  const site = renderSite(siteVariables(OPTIONS));

  it('leaves no variable of the template behind', () => {
    expect(site).not.toMatch(/\$\{/);
  });

  it('has the variables that site.env lists, and no other', () => {
    const inTemplate = new Set(
      [...readFileSync(TEMPLATE_FILE, 'utf8').matchAll(/\$\{([A-Z0-9_]+)\}/g)].map(([, name]) => name),
    );
    expect([...inTemplate].sort()).toEqual(Object.keys(siteVariables(OPTIONS)).sort());
    expect(Object.keys(parseEnv(readFileSync(SITE_ENV, 'utf8'))).sort()).toEqual([...inTemplate].sort());
  });

  it('has the defaults that site.env says', () => {
    const { DOMAIN, DAEMON, MEDIA, ...defaults } = parseEnv(readFileSync(SITE_ENV, 'utf8'));
    expect(
      siteVariables({ domain: DOMAIN as string, daemon: DAEMON as string, media: MEDIA as string }),
    ).toMatchObject(defaults);
  });

  itNeeds('envsubst')('is rendered as envsubst does it, byte for byte', async () => {
    const said = {
      tlsKey: '/etc/tls/a.key',
      listenHttps: 8443,
      ipv6: false,
      maxListeners: 9,
      stapling: true,
    };
    for (const variables of [siteVariables(OPTIONS), siteVariables({ ...OPTIONS, ...said }, NEW)]) {
      const names = Object.keys(variables).map((name) => `$${name}`);
      const { stdout, exitCode } = await runProgram('envsubst', [names.join(' ')], {
        env: { PATH: process.env['PATH'], ...variables },
        input: readFileSync(TEMPLATE_FILE),
      });
      expect(exitCode).toBe(0);
      expect(renderSite(variables)).toBe(stdout.toString());
    }
  });

  itNeeds('envsubst')('comes out of the commands that the template’s head names', async () => {
    const head = /^# {3}(set -a; .*)\n# {3}(envsubst .*)$/m.exec(readFileSync(TEMPLATE_FILE, 'utf8'));
    const [setting, filling] = [head?.[1] ?? '', head?.[2] ?? ''];
    const commands = `${setting.replace('…', '/tls/cert.pem').replace('…', '/tls/key.pem')}\n${filling}`;
    const { stdout, stderr, exitCode } = await runProgram('sh', ['-ec', commands], {
      cwd: path.resolve(__dirname, '../..'),
      env: { PATH: process.env['PATH'] },
    });
    expect([exitCode, stderr]).toEqual([0, '']);
    const variables = siteVariables({ ...OPTIONS, tlsCert: '/tls/cert.pem', tlsKey: '/tls/key.pem' });
    expect(stdout.toString()).toBe(renderSite(variables));
  });

  it('says HTTP/2 as the version at hand understands it', () => {
    expect(directives(site)).toContain('listen 0.0.0.0:443 ssl http2;');
    expect(directives(site)).not.toContain('http2 on;');
    const newer = directives(renderSite(siteVariables(OPTIONS, NEW)));
    expect(newer).toContain('http2 on;');
    expect(newer.filter((line) => /^listen .*http2/.test(line))).toEqual([]);
  });

  it('names the post-quantum key exchange only where OpenSSL knows it', () => {
    expect(directives(site)).toContain('ssl_ecdh_curve X25519:prime256v1:secp384r1;');
    expect(renderSite(siteVariables(OPTIONS, NEW))).toContain('ssl_ecdh_curve X25519MLKEM768:X25519:');
  });

  it('redirects to the port that the public sees', () => {
    expect(site).toContain('return 301 https://radio.example.org$request_uri;');
    const other = (options: Partial<SiteOptions>): string =>
      renderSite(siteVariables({ ...OPTIONS, ...options }));
    expect(other({ listenHttps: 8443 })).toContain('return 301 https://radio.example.org:8443$request_uri;');
    expect(other({ listenHttps: 8443, publicPort: 443 })).toContain('https://radio.example.org$request_uri;');
  });

  it('staples OCSP only where asked', () => {
    expect(directives(site)).toContain('ssl_stapling off;');
    expect(directives(renderSite(siteVariables({ ...OPTIONS, stapling: true })))).toContain(
      'ssl_stapling on;',
    );
  });

  it('keeps browsers to HTTPS for two years, and leaves localhost alone', () => {
    const hsts = (options: Partial<SiteOptions>): string | undefined =>
      /Strict-Transport-Security "max-age=(\d+)" always/.exec(
        renderSite(siteVariables({ ...OPTIONS, ...options })),
      )?.[1];
    expect(hsts({})).toBe('63072000');
    expect(hsts({ domain: 'localhost' })).toBe('0');
    expect(hsts({ domain: '192.0.2.7' })).toBe('0');
    expect(hsts({ hstsSeconds: 300 })).toBe('300');
  });

  it('listens on IPv6 unless told not to', () => {
    expect(directives(site)).toContain('listen [::]:80;');
    expect(directives(renderSite(siteVariables({ ...OPTIONS, ipv6: false }))).join()).not.toContain('[::]');
  });

  it.each(['a;b', 'a b', 'a{', "a'", 'a"', '$host', 'a\nb', 'a\\'])('refuses %j as a value', (tlsKey) => {
    expect(() => renderSite(siteVariables({ ...OPTIONS, tlsKey }))).toThrow(OperatorError);
  });

  it.each([
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2:'],
    ['2001:db8:1:2:ffff::9', '2001:db8:1:2:'],
    ['2001:db8:1:2::', '2001:db8:1:2:'],
    ['2001:db8:1:3::9', '2001:db8:1:3:'],
    ['2001:db8::9', '2001:db8:'],
    ['192.0.2.7', undefined],
  ])('counts %s as its network of 64 bits', (address, network) => {
    const pattern = /"~(\S+vibesflow_net\S+)"/.exec(site)?.[1] ?? '';
    expect(new RegExp(pattern).exec(address)?.groups?.['vibesflow_net']).toBe(network);
  });

  it('keeps connections to the daemon for less than the daemon does', () => {
    const server = readFileSync(path.resolve(__dirname, '../../src/http/server.ts'), 'utf8');
    const daemonSeconds = Number(/KEEP_ALIVE_MS = ([\d_]+)/.exec(server)?.[1]?.replaceAll('_', '')) / 1_000;
    const nginxSeconds = Number(/^\s*keepalive_timeout (\d+)s;/m.exec(site)?.[1]);
    expect(nginxSeconds).toBeGreaterThan(0);
    expect(nginxSeconds).toBeLessThan(daemonSeconds);
  });

  it('waits longer for a pausing sender than the daemon does, so that the daemon answers it', () => {
    const reader = readFileSync(path.resolve(__dirname, '../../src/http/body-reader.ts'), 'utf8');
    const idleSeconds = Number(/IDLE_MS = ([\d_]+)/.exec(reader)?.[1]?.replaceAll('_', '')) / 1_000;
    const door = site.slice(site.indexOf('/audio$ {'));
    expect(Number(/client_body_timeout (\d+)s;/.exec(door)?.[1])).toBeGreaterThan(idleSeconds);
  });
});
