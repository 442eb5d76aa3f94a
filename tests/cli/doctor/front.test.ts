import http from 'node:http';
import https from 'node:https';
import type { AddressInfo, Server } from 'node:net';
import os from 'node:os';
import { type Config, loadConfig } from '../../../src/base/config';
import type { Check } from '../../../src/cli/doctor/check';
import { checkFront } from '../../../src/cli/doctor/front';
import { type Certificate, selfSigned } from '../../helpers/certificate';
import { freePort } from '../../helpers/free-port';

type Answers = Readonly<Record<string, { status: number; headers?: Record<string, string>; body?: string }>>;

/** What a proxy that is set up right answers. */
const RIGHT: Answers = {
  '/health': { status: 200, body: '{"status":"ok"}' },
  '/live/doctor-is-not-there.m3u8': { status: 404, headers: { 'access-control-allow-origin': '*' } },
};

let year: Certificate;
let week: Certificate;
beforeAll(async () => ([year, week] = await Promise.all([selfSigned(365), selfSigned(7)])), 20_000);

const servers: (Server & { closeAllConnections(): void })[] = [];
afterEach(async () => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
});

const answering =
  (answers: Answers): http.RequestListener =>
  (req, res) => {
    const { status, headers = {}, body = '' } = answers[req.url ?? ''] ?? { status: 404 };
    res.writeHead(status, headers).end(body);
  };

async function port(server: http.Server | https.Server): Promise<number> {
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return (server.address() as AddressInfo).port;
}

function settings(publicUrl: string, more: Record<string, string> = {}): Config {
  return loadConfig({ PUBLIC_URL: publicUrl, ...more }, { directory: os.tmpdir() });
}

/** The checks of a front that answers so, by name. */
async function examine(
  answers: Answers,
  options: { certificate?: Certificate; redirect?: http.RequestListener } = {},
): Promise<Map<string, Check>> {
  const certificate = options.certificate ?? year;
  const secure = await port(https.createServer({ ...certificate }, answering({ ...RIGHT, ...answers })));
  const toHttps: http.RequestListener = (_req, res) =>
    void res.writeHead(301, { location: 'https://localhost/health' }).end();
  const plain = await port(http.createServer(options.redirect ?? toHttps));
  const checks = await checkFront(settings(`https://localhost:${secure}`), {
    ca: certificate.cert,
    plainUrl: `http://127.0.0.1:${plain}`,
  });
  return new Map(checks.map((check) => [check.name, check]));
}

describe('the doctor’s look at the public address', () => {
  it('finds nothing where there is none', async () => {
    expect(await checkFront(settings('http://localhost:3001'))).toMatchObject([
      { result: 'ok', found: expect.stringContaining('this machine only') },
    ]);
  });

  it('is content with a proxy that is set up right', async () => {
    const checks = await examine({});
    expect([...checks].map(([name, { result }]) => `${name}: ${result}`)).toEqual([
      'public address: ok',
      'certificate: ok',
      'redirect: ok',
      'public media: ok',
      'closed doors: ok',
    ]);
    expect(checks.get('certificate')?.found).toBe('valid for 364 more days');
  });

  it('warns of a certificate that was not renewed', async () => {
    expect((await examine({}, { certificate: week })).get('certificate')).toMatchObject({
      result: 'warn',
      found: 'valid for 6 more days',
      remedy: expect.stringContaining('certbot renew'),
    });
  });

  it('fails on a certificate that nobody trusts', async () => {
    const secure = await port(https.createServer({ ...year }, answering(RIGHT)));
    expect(await checkFront(settings(`https://localhost:${secure}`))).toMatchObject([
      { name: 'certificate', result: 'fail', remedy: expect.stringContaining('setup-tls.sh') },
    ]);
  });

  it('fails where nothing listens, and where the name does not exist', async () => {
    expect(await checkFront(settings(`https://localhost:${await freePort()}`))).toMatchObject([
      { name: 'public address', result: 'fail', remedy: expect.stringContaining('ports 80 and 443') },
    ]);
    expect(await checkFront(settings('https://does-not-exist.invalid'))).toMatchObject([
      { name: 'public address', result: 'fail', remedy: expect.stringContaining('DNS') },
    ]);
  });

  it.each<[string, Answers, string, string]>([
    ['a daemon that is down', { '/health': { status: 502 } }, 'public address', 'answers 502'],
    ['another site', { '/health': { status: 200, body: '<html>' } }, 'public address', 'not like a relay'],
    ['media that lead nowhere', { '/live/doctor-is-not-there.m3u8': { status: 502 } }, 'public media', '502'],
    ['metrics for everybody', { '/metrics': { status: 200 } }, 'closed doors', '/metrics answers 200'],
    ['hooks for everybody', { '/hooks/on_publish': { status: 400 } }, 'closed doors', '/hooks/on_publish'],
    ['SRS’s API for everybody', { '/api/v1/clients/': { status: 200 } }, 'closed doors', '/api/v1/clients/'],
  ])('fails on %s', async (_what, answers, name, found) => {
    const check = (await examine(answers)).get(name);
    expect(check).toMatchObject({ result: 'fail', found: expect.stringContaining(found) });
    expect(check?.remedy).toBeTruthy();
  });

  it('warns where port 80 answers by itself', async () => {
    const redirect: http.RequestListener = (_req, res) => void res.writeHead(200).end();
    expect((await examine({}, { redirect })).get('redirect')).toMatchObject({
      result: 'warn',
      found: expect.stringContaining('answers 200 without TLS'),
    });
  });

  it('warns of media that pages cannot read', async () => {
    const answers = { '/live/doctor-is-not-there.m3u8': { status: 404 } };
    expect((await examine(answers)).get('public media')).toMatchObject({
      result: 'warn',
      found: expect.stringContaining('without CORS'),
    });
  });
});
