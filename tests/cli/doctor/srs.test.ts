import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { type Config, loadConfig } from '../../../src/base/config';
import type { Check } from '../../../src/cli/doctor/check';
import { checkSrs } from '../../../src/cli/doctor/srs';
import { srsConf, srsConfOptions } from '../../../src/media-server/srs/conf';
import { versionFor } from '../../../src/media-server/srs/lines';
import { FakeRelay } from '../../helpers/fake-relay';
import { freePort } from '../../helpers/free-port';

const SECRET = '0123456789abcdef';

let directory: string;
let relay: FakeRelay;
let api: http.Server;
/** What SRS says of itself. */
let self: Record<string, unknown>;

beforeEach(async () => {
  directory = mkdtempSync(path.join(os.tmpdir(), 'vibesflow-doctor-'));
  relay = await FakeRelay.start();
  // As the daemon does it.
  relay.onRequest = ({ path: asked }) =>
    asked === `/hooks/${SECRET}/on_play` ? { json: { code: 1 } } : { status: 403, json: {} };
  self = { version: '7.0.18', argv: './srs -c srs.conf', cwd: directory };
  api = http.createServer((_req, res) => res.end(JSON.stringify({ code: 0, data: { self } })));
  await new Promise<void>((resolve) => api.listen(0, '127.0.0.1', resolve));
});
afterEach(async () => {
  await relay.close();
  await new Promise((resolve) => api.close(resolve));
  rmSync(directory, { recursive: true });
});

async function settings(env: Record<string, string> = {}): Promise<Config> {
  const ports = {
    PORT: `${relay.port}`,
    MEDIA_API_PORT: `${(api.address() as AddressInfo).port}`,
    MEDIA_HTTP_PORT: `${await freePort()}`,
    RTMP_PORT: `${await freePort()}`,
  };
  const all = { MEDIA_SERVER: 'srs', HOOK_SECRET: SECRET, DATA_DIR: directory, ...ports, ...env };
  return loadConfig(all, { directory });
}

function writeConf(config: Config, line = '7.0.18'): void {
  const options = srsConfOptions(config, versionFor(line), path.join(directory, 'srs'));
  writeFileSync(path.join(directory, 'srs.conf'), srsConf(options));
}

async function examine(config: Config, daemonRuns = true): Promise<Map<string, Check>> {
  return new Map((await checkSrs(config, daemonRuns)).map((check) => [check.name, check]));
}

describe('the doctor’s look at SRS', () => {
  it('fails where its API does not answer', async () => {
    const config = await settings({ MEDIA_API_PORT: `${await freePort()}` });
    expect([...(await examine(config)).values()]).toMatchObject([
      { name: 'srs', result: 'fail', found: expect.stringContaining('ECONNREFUSED') },
    ]);
  });

  it('fails where something else answers there', async () => {
    self = {};
    const { found, result } = (await examine(await settings())).get('srs') as Check;
    expect([result, found]).toEqual(['fail', expect.stringContaining('not SRS')]);
  });

  it('fails on a line that nobody tried', async () => {
    self = { ...self, version: '4.0.271' };
    expect((await examine(await settings())).get('srs')).toMatchObject({ result: 'fail' });
  });

  it('warns of the known faults of a release', async () => {
    expect((await examine(await settings())).get('srs')).toMatchObject({
      result: 'warn',
      found: expect.stringMatching(/SRS 7\.0\.18.*publish-without-data/),
      remedy: expect.stringContaining('vibesflow srs status'),
    });
  });

  it('is content with the configuration that these settings make', async () => {
    const config = await settings();
    writeConf(config);
    expect((await examine(config)).get('srs configuration')?.result).toBe('ok');
  });

  it('fails on hooks that lead elsewhere, and does not tell the secret', async () => {
    writeConf(await settings({ PORT: `${await freePort()}` }));
    const check = (await examine(await settings())).get('srs configuration');
    expect(check).toMatchObject({ result: 'fail', found: expect.stringContaining('on_publish') });
    expect(check?.found).not.toContain(SECRET);
    expect(check?.remedy).toContain('vibesflow srs conf --for 7.0.18');
  });

  it('warns of a configuration that is another one otherwise', async () => {
    const config = await settings();
    writeConf(config);
    const file = path.join(directory, 'srs.conf');
    writeFileSync(
      file,
      srsConf(srsConfOptions(config, versionFor('7.0.18'), directory)).replace(/mw_latency.*;/g, ''),
    );
    expect((await examine(config)).get('srs configuration')).toMatchObject({
      result: 'warn',
      found: expect.stringContaining('mw_latency'),
    });
  });

  it('says nothing of a configuration that cannot be read from here', async () => {
    self = { ...self, cwd: '/usr/local/srs' };
    expect((await examine(await settings())).has('srs configuration')).toBe(false);
  });

  it('calls a hook as SRS does', async () => {
    relay.onRequest = ({ path: asked }) =>
      asked === `/hooks/${SECRET}/on_play` && relay.requests.length === 1
        ? { json: { code: 1 } }
        : { status: 403, json: {} };
    const check = (await examine(await settings())).get('hooks');
    expect(check).toMatchObject({ result: 'ok', found: expect.stringContaining('closed to who comes') });
    expect(JSON.parse(relay.requests[0]?.body.toString() ?? '')).toMatchObject({
      action: 'on_play',
      app: 'live',
    });
  });

  it('fails where the daemon knows another secret', async () => {
    const check = (await examine(await settings({ HOOK_SECRET: 'another-secret-0123' }))).get('hooks');
    expect(check).toMatchObject({ result: 'fail', remedy: expect.stringContaining('HOOK_SECRET') });
  });

  it('fails where hooks are open to who comes through a proxy', async () => {
    relay.onRequest = () => ({ json: { code: 0 } });
    expect((await examine(await settings())).get('hooks')).toMatchObject({
      result: 'fail',
      found: expect.stringContaining('through a proxy'),
    });
  });

  it('asks no daemon that does not run', async () => {
    expect((await examine(await settings(), false)).has('hooks')).toBe(false);
  });
});
