import net from 'node:net';
import os from 'node:os';
import { loadConfig } from '../../../src/base/config';
import { checkDaemon } from '../../../src/cli/doctor/relay';
import { FakeRelay } from '../../helpers/fake-relay';
import { freePorts } from '../../helpers/free-port';

async function settings(port: number): Promise<ReturnType<typeof loadConfig>> {
  const [media, rtmp] = await freePorts(2);
  const env = { PORT: `${port}`, MEDIA_HTTP_PORT: `${media}`, RTMP_PORT: `${rtmp}` };
  return loadConfig(env, { directory: os.tmpdir() });
}

describe('the doctor’s look at the daemon', () => {
  it('warns where no daemon answers', async () => {
    const [port = 0] = await freePorts(1);
    const { running, checks } = await checkDaemon(await settings(port));
    expect(running).toBe(false);
    expect(checks).toMatchObject([{ name: 'daemon', result: 'warn' }]);
  });

  it('fails where none answers and the world is sent there', async () => {
    const [port = 0] = await freePorts(1);
    const config = { ...(await settings(port)), publicUrl: 'https://radio.example.org' };
    expect((await checkDaemon(config)).checks).toMatchObject([{ name: 'daemon', result: 'fail' }]);
  });

  it('looks whether a daemon is ready and its media server answers', async () => {
    const relay = await FakeRelay.start();
    try {
      relay.onRequest = ({ path: asked }) =>
        asked === '/health'
          ? { json: { status: 'ok', mediaServer: { kind: 'embedded', up: true, version: '1' } } }
          : { status: 503, json: { code: 'not-ready', detail: 'the relay is draining.' } };
      const { running, checks } = await checkDaemon(await settings(relay.port));
      expect(running).toBe(true);
      expect(checks).toMatchObject([
        { name: 'daemon', result: 'fail', found: expect.stringContaining('the relay is draining') },
        { name: 'media server', result: 'fail' },
      ]);
    } finally {
      await relay.close();
    }
  });

  it('fails where nothing takes what encoders publish, though listeners are served', async () => {
    const relay = await FakeRelay.start();
    const media = net.createServer();
    try {
      relay.onRequest = () => ({
        json: { status: 'ok', mediaServer: { kind: 'srs', up: true, version: '7.0.18' } },
      });
      const config = { ...(await settings(relay.port)), mediaServer: 'srs' as const };
      await new Promise<void>((resolve) => media.listen(config.mediaHttpPort, '127.0.0.1', resolve));
      const [nobody = 0] = await freePorts(1);
      const lost = { ...config, rtmpUrl: `rtmp://127.0.0.1:${nobody}/live` };
      const found = { ...config, rtmpUrl: `rtmp://127.0.0.1:${config.mediaHttpPort}/live` };
      expect((await checkDaemon(lost)).checks).toContainEqual({
        name: 'media server',
        result: 'fail',
        found: `nothing takes RTMP at port ${nobody}, where encoders publish`,
        remedy: 'set RTMP_URL or RTMP_PORT to where SRS takes it, and restart the daemon',
      });
      expect((await checkDaemon(found)).checks).toContainEqual({
        name: 'media server',
        result: 'ok',
        found: `srs 7.0.18 answers on port ${config.mediaHttpPort}`,
      });
    } finally {
      await relay.close();
      await new Promise((resolve) => media.close(resolve));
    }
  });

  it('fails where the daemon runs with another media server than the settings say', async () => {
    const relay = await FakeRelay.start();
    try {
      relay.onRequest = () => ({
        json: { status: 'ok', mediaServer: { kind: 'embedded', up: true, version: '1' } },
      });
      const { checks } = await checkDaemon({ ...(await settings(relay.port)), mediaServer: 'srs' });
      expect(checks[0]).toMatchObject({ name: 'daemon', result: 'fail' });
      expect(checks[0]?.found).toContain('MEDIA_SERVER=embedded, not srs');
    } finally {
      await relay.close();
    }
  });

  it.each([
    [900, 1_000, 'fail'],
    [90, 1_024, 'warn'],
    [90, 20_000, 'ok'],
  ])('calls %i of %i open files %s', async (open, limit, result) => {
    const relay = await FakeRelay.start();
    try {
      relay.onRequest = () => ({
        json: { status: 'ok', mediaServer: { kind: 'embedded', up: true, version: '1' } },
      });
      relay.onStream = (asked, response) => {
        if (asked !== '/metrics') return false;
        response.end(`vibesflow_process_open_fds ${open}\nvibesflow_process_max_fds ${limit}\n`);
        return true;
      };
      const { checks } = await checkDaemon(await settings(relay.port));
      expect(checks.find(({ name }) => name === 'daemon’s open files')).toMatchObject({
        result,
        found: `${open} of ${limit}`,
      });
    } finally {
      await relay.close();
    }
  });
});
