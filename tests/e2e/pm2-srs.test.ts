import { performance } from 'node:perf_hooks';
import { longPost } from '../helpers/creators';
import { eventually } from '../helpers/eventually';
import { FlvListener } from '../helpers/flv-listener';
import { freePorts } from '../helpers/free-port';
import { httpRequest, jsonRequest } from '../helpers/http-request';
import { music } from '../helpers/music';
import { encodeOffline, expectSameFrames } from '../helpers/offline-encode';
import { Pm2 } from '../helpers/pm2';
import { isAlive } from '../helpers/processes';
import { SRS_BINARY, describeSrs } from '../helpers/srs';

const CONFIG = 'ecosystem.config.js';
const RELAY = 'vibesflow-streaming';
const SRS = 'vibesflow-srs';
/** SRS lets go of listeners up to 20 ms after it last looked for frames; the last come all at once. */
const SRS_LACKS = 4;
const upload = longPost({ contentType: 'audio/pcm', unpaced: true });

describeSrs('PM2 with ecosystem.config.js, the relay and SRS', () => {
  let pm2: Pm2;
  let apiUrl: string;
  let mediaUrl: string;

  beforeAll(async () => {
    const [port, media, rtmp, api, rtc] = (await freePorts(5)) as [number, number, number, number, number];
    apiUrl = `http://127.0.0.1:${port}`;
    mediaUrl = `http://127.0.0.1:${media}`;
    pm2 = new Pm2({});
    pm2.writeEnvFile({
      AUTH_MODE: 'open',
      SRS_DRIVER: 'binary',
      SRS_BINARY,
      PORT: String(port),
      MEDIA_HTTP_PORT: String(media),
      RTMP_PORT: String(rtmp),
      MEDIA_API_PORT: String(api),
      RTC_PORT: String(rtc),
    });
    await pm2.run('start', CONFIG);
  }, 60_000);
  afterAll(async () => pm2.close(), 60_000);

  const isReady = (): Promise<boolean> =>
    httpRequest(`${apiUrl}/ready`).then(
      ({ status }) => status === 200,
      () => false,
    );

  it('brings both online: SRS without a word where MEDIA_SERVER is not set', async () => {
    const apps = await pm2.apps();
    expect(apps.map(({ name, pm2_env }) => [name, pm2_env.status, pm2_env.restart_time])).toEqual([
      [RELAY, 'online', 0],
      [SRS, 'online', 0],
    ]);
    await eventually('the relay has found SRS', isReady, { withinMs: 20_000 });
    expect((await jsonRequest(`${apiUrl}/health`)).json).toMatchObject({
      srsRunning: true,
      mediaServer: { kind: 'srs', up: true },
    });
    expect(pm2.log(SRS)).toContain('"msg":"SRS runs"');
  }, 60_000);

  it('takes SRS’s process with its supervisor when that is killed, and has both back by itself', async () => {
    const { pid } = await pm2.app(SRS);
    const family = pm2.processes().filter(({ argv }) => argv[0]?.endsWith(SRS_BINARY));
    expect(family).toHaveLength(1);
    const killedAtMs = performance.now();
    process.kill(pid, 'SIGKILL');
    await eventually('SRS itself is gone, too', () => !family.some(isAlive), { withinMs: 2_000 });
    await eventually(
      'another SRS runs',
      () => pm2.log(SRS).split('"msg":"SRS runs"').length === 3 && isReady(),
      { withinMs: 20_000, everyMs: 50 },
    );
    console.info(`SRS is back ${(performance.now() - killedAtMs).toFixed(0)} ms after the kill`);
    expect(await pm2.app(SRS)).toMatchObject({ pm2_env: { status: 'online', restart_time: 1 } });
    expect(await pm2.app(RELAY)).toMatchObject({ pm2_env: { status: 'online', restart_time: 0 } });
  }, 60_000);

  it.each(['stop all', 'kill'])(
    'keeps SRS until the relay has played out what was taken (pm2 %s)',
    async (command) => {
      await pm2.run('start', CONFIG);
      await eventually('the relay has found SRS', isReady, { withinMs: 20_000 });
      const pcm = music(7, 72);
      const uploading = upload({ apiUrl, vibeId: 'tail' }, pcm, { chunkMs: 100 });
      // SRS answers players once there is something to play.
      const tail = await eventually('the vibe can be heard', () =>
        FlvListener.connect(`${mediaUrl}/live/tail.flv`).catch(() => undefined),
      );
      await uploading;
      await tail.until('1 s of sound', () => tail.frames.length > 47);
      pm2.processes();

      await pm2.run(...command.split(' '));
      await tail.end(5_000);
      expect(
        expectSameFrames(tail.aacFrames, await encodeOffline(pcm), SRS_LACKS).equalFrames,
      ).toBeGreaterThan(100);
      for (const line of ['"msg":"stopped"', '"msg":"SRS stopped"'])
        expect(pm2.log(RELAY) + pm2.log(SRS)).toContain(line);
      expect(pm2.ownLog).not.toContain('sending SIGKILL');
      expect(pm2.ownLog).not.toMatch(/exited with code \[[1-9]/);
      await pm2.expectGone({ stays: command !== 'kill' });
    },
    90_000,
  );
});
