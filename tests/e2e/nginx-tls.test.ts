import { statSync } from 'node:fs';
import path from 'node:path';
import { EchoUpstream } from '../helpers/echo-upstream';
import { Nginx } from '../helpers/nginx';
import { NGINX_NEEDS } from '../helpers/nginx-house';
import { runProgram } from '../helpers/run-program';
import { describeWith } from '../helpers/system-program';

/** One handshake; gives what `openssl s_client` says. Its `-cipher` at security level 0 offers what is refused today. */
async function handshake(nginx: Nginx, ...args: string[]): Promise<{ ok: boolean; said: string }> {
  const at = [
    '-connect',
    `127.0.0.1:${nginx.httpsPort}`,
    '-servername',
    'localhost',
    '-CAfile',
    nginx.caFile,
  ];
  const result = await runProgram('openssl', ['s_client', ...at, '-verify_return_error', ...args], {
    input: Buffer.from('Q\n'),
    withinMs: 15_000,
  });
  const said = `${result.stdout.toString()}\n${result.stderr}`;
  return { ok: /New, TLSv1\.[23], Cipher is [A-Z]/.test(said) && result.exitCode === 0, said };
}

describeWith({ ...NGINX_NEEDS, sslscan: 'sslscan' })('the TLS of the site', () => {
  let upstream: EchoUpstream;
  let nginx: Nginx;
  beforeAll(async () => {
    upstream = await EchoUpstream.start();
    nginx = await Nginx.start({ apiUrl: upstream.url, mediaUrl: upstream.url });
  }, 30_000);
  afterAll(async () => {
    await nginx?.stop();
    await upstream?.close();
  });

  it.each([
    ['TLS 1.3', ['-tls1_3']],
    ['TLS 1.2 with AES-GCM', ['-tls1_2', '-cipher', 'ECDHE-ECDSA-AES128-GCM-SHA256']],
    ['TLS 1.2 with ChaCha20', ['-tls1_2', '-cipher', 'ECDHE-ECDSA-CHACHA20-POLY1305']],
    ['X25519', ['-groups', 'X25519']],
    ['P-256', ['-groups', 'P-256']],
  ])('speaks %s, with a chain that verifies', async (_what, args) => {
    expect(await handshake(nginx, ...args)).toMatchObject({ ok: true });
  });

  it.each([
    ['TLS 1.0', ['-tls1', '-cipher', 'ALL:@SECLEVEL=0']],
    ['TLS 1.1', ['-tls1_1', '-cipher', 'ALL:@SECLEVEL=0']],
    ['CBC', ['-tls1_2', '-cipher', 'ECDHE-ECDSA-AES128-SHA256:ECDHE-ECDSA-AES256-SHA:@SECLEVEL=0']],
    ['DHE', ['-tls1_2', '-cipher', 'DHE:@SECLEVEL=0']],
    ['RSA key exchange', ['-tls1_2', '-cipher', 'kRSA:@SECLEVEL=0']],
    ['finite-field groups in TLS 1.3', ['-tls1_3', '-groups', 'ffdhe2048']],
  ])('refuses %s', async (_what, args) => {
    expect(await handshake(nginx, ...args)).toMatchObject({ ok: false });
  });

  it('hands out no tickets, and staples nothing', async () => {
    const { said } = await handshake(nginx, '-tls1_2', '-status');
    expect(said).toContain('OCSP response: no response sent');
    expect(said).not.toContain('TLS session ticket:');
  });

  it('lets clients choose among its ciphers', async () => {
    const { said } = await handshake(
      nginx,
      ...['-tls1_2', '-cipher', 'ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-ECDSA-AES128-GCM-SHA256'],
    );
    expect(said).toContain('Cipher is ECDHE-ECDSA-CHACHA20-POLY1305');
  });

  it('is clean for sslscan', async () => {
    const { stdout } = await runProgram(
      'sslscan',
      ['--no-colour', '--sni-name=localhost', `127.0.0.1:${nginx.httpsPort}`],
      { withinMs: 60_000 },
    );
    const said = stdout.toString();
    for (const protocol of ['SSLv2', 'SSLv3', 'TLSv1.0', 'TLSv1.1'])
      expect(said).toMatch(new RegExp(`${protocol.replace('.', '\\.')}\\s+disabled`));
    for (const protocol of ['TLSv1.2', 'TLSv1.3'])
      expect(said).toMatch(new RegExp(`${protocol.replace('.', '\\.')}\\s+enabled`));
    expect(said).toMatch(/not vulnerable to heartbleed/);
    expect(said).not.toMatch(/(?<!not) vulnerable to heartbleed/);
    expect(said).toMatch(/Compression disabled|does not support compression/);
    expect(said).toMatch(/Session renegotiation not supported|Secure session renegotiation supported/);
    const ciphers = [...said.matchAll(/^(?:Preferred|Accepted)\s+TLSv1\.\d\s+\d+ bits\s+(\S+)/gm)].map(
      ([, name]) => name,
    );
    expect(ciphers.length).toBeGreaterThanOrEqual(6);
    for (const name of ciphers) expect(name).toMatch(/^(TLS_(AES|CHACHA20)_|ECDHE-ECDSA-.*(GCM|CHACHA20))/);
  }, 90_000);

  it('keeps its key to itself', () => {
    expect(statSync(path.join(nginx.home, 'tls.key')).mode & 0o777).toBe(0o600);
  });
});
