import { type ChildProcess, spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { performance } from 'node:perf_hooks';
import { tuneWav } from '../../src/cli/tune';
import { longPost } from '../helpers/creators';
import { FaithfulListener } from '../helpers/faithful-listener';
import { FFMPEG } from '../helpers/ffmpeg';
import { FlvListener } from '../helpers/flv-listener';
import { freePorts } from '../helpers/free-port';
import { httpRequest, jsonRequest } from '../helpers/http-request';
import { music } from '../helpers/music';
import { encodeOffline, expectSameFrames } from '../helpers/offline-encode';
import { Pm2 } from '../helpers/pm2';
import { ROOT } from '../helpers/sources';

const NAME = 'vibesflow-streaming';
const CONFIG = 'ecosystem.config.js';
const CANARY = 'canary-canary-canary';

describe('PM2 with ecosystem.config.js', () => {
  let pm2: Pm2;
  let apiUrl: string;
  let mediaUrl: string;
  /** What a start takes here and now, from the command to a relay that is ready. */
  let startMs: number;
  let creator: ChildProcess | undefined;
  let listener: FaithfulListener | undefined;

  beforeAll(async () => {
    const [port, media, rtmp, api] = (await freePorts(4)) as [number, number, number, number];
    apiUrl = `http://127.0.0.1:${port}`;
    mediaUrl = `http://127.0.0.1:${media}`;
    pm2 = new Pm2({
      PORT: String(port),
      MEDIA_HTTP_PORT: String(media),
      RTMP_PORT: String(rtmp),
      MEDIA_API_PORT: String(api),
      ...(FFMPEG === 'ffmpeg' ? {} : { FFMPEG_PATH: FFMPEG }),
    });
  });
  afterAll(async () => {
    creator?.kill('SIGKILL');
    await listener?.leave();
    await pm2.close();
  }, 60_000);

  it('says in one line what a start lacks, and starts nothing', async () => {
    const { exitCode, stderr } = await pm2.ask(['start', CONFIG]);
    expect(exitCode).toBe(78);
    expect(stderr.match(/^vibesflow: .*$/gm)).toEqual([
      'vibesflow: Wrong settings: AUTH_MODE must be set in production; open lets anybody who can reach the relay send audio',
    ]);
    expect(await pm2.apps()).toEqual([]);
  }, 60_000);

  it('starts the relay, which is online once it is ready, in one process', async () => {
    pm2.writeEnvFile({ AUTH_MODE: 'open', MEDIA_SERVER: 'embedded', HOOK_SECRET: CANARY });
    const sinceMs = performance.now();
    const { exitCode, stderr } = await pm2.ask(['start', CONFIG], {
      HOOK_SECRET: `${CANARY}-2`,
      NPM_TOKEN: CANARY,
    });
    expect((await httpRequest(`${apiUrl}/ready`)).status).toBe(200);
    startMs = performance.now() - sinceMs;
    expect(exitCode).toBe(0);
    expect(stderr).toContain('vibesflow: HOOK_SECRET is read from .env alone: PM2 would store it');
    const apps = await pm2.apps();
    expect(apps.map(({ name }) => name)).toEqual([NAME]);
    expect(apps[0]!.pm2_env).toMatchObject({
      status: 'online',
      exec_mode: 'fork_mode',
      restart_time: 0,
      treekill: false,
      wait_ready: true,
      kill_timeout: 28_000,
      NODE_ENV: 'production',
    });
  }, 60_000);

  it('shows the relay’s own lines, each with one time', async () => {
    const lines = pm2.log(NAME).trim().split('\n');
    for (const line of lines) expect(JSON.parse(line)).toHaveProperty('time');
    expect(lines.at(-1)).toContain('"msg":"ready"');
    expect(pm2.log(NAME, 'err')).toBe('');
    const shown = await pm2.run('logs', NAME, '--nostream', '--lines', '50');
    expect(shown).toContain(lines.at(-1));
  }, 60_000);

  it('brings the creator back to a listener within 5 s of a kill -9 of the relay, the title with it', async () => {
    const wav = path.join(pm2.directory, 'tune.wav');
    writeFileSync(wav, Buffer.concat([...tuneWav(3)]));
    creator = publish(wav, 'ana');
    listener = new FaithfulListener(`${mediaUrl}/live/night.flv`);

    await listener.hears(100);

    const { pid } = await pm2.app(NAME);
    const { startedAt } = (await jsonRequest(`${apiUrl}/stream/night`)).json;
    const killedAtMs = performance.now();
    process.kill(pid, 'SIGKILL');
    await listener.hears(20, killedAtMs + 500);

    const gapMs = listener.longestGapMs(killedAtMs);
    console.info(
      `kill -9: ${gapMs.toFixed(0)} ms without sound; a start takes ${startMs.toFixed(0)} ms here`,
    );
    expect(gapMs).toBeLessThan(Math.max(5_000, 3 * startMs));
    expect((await jsonRequest(`${apiUrl}/stream/night`)).json).toMatchObject({
      creator: 'ana',
      title: 'Late',
      // The very same vibe: nobody started another one.
      startedAt,
    });
    const after = await pm2.app(NAME);
    expect(after.pid).not.toBe(pid);
    expect(after.pm2_env).toMatchObject({ status: 'online', restart_time: 1 });
  }, 90_000);

  it('reloads in mid-stream: what was taken is played, then the creator is back by itself', async () => {
    const sinceMs = performance.now();
    const reload = pm2.run('reload', CONFIG);
    await Promise.all([reload, listener!.hears(100, sinceMs + 3_000)]);
    const gapMs = listener!.longestGapMs(sinceMs);
    console.info(`reload: ${gapMs.toFixed(0)} ms without sound; a start takes ${startMs.toFixed(0)} ms here`);
    expect(gapMs).toBeLessThan(Math.max(4_000, 2 * startMs));
    const { status } = await jsonRequest(`${apiUrl}/stream/night`);
    expect(status).toBe(200);
    expect(await pm2.app(NAME)).toMatchObject({ pm2_env: { status: 'online', restart_time: 2 } });
    // The relay's own end, not PM2's SIGKILL: its vibe played out, and no encoder was started while it stopped.
    const lines = pm2.log(NAME).trim().split('\n');
    const stopping = lines.findLastIndex((line) => line.includes('"stopping:'));
    const stopped = lines.findIndex((line, at) => at > stopping && line.includes('"stopped"'));
    const between = lines.slice(stopping, stopped).join('\n');
    expect(between).toContain('"cause":"played-out"');
    expect(between).not.toContain('"encoder starting"');
    creator!.kill('SIGINT');
    await listener!.leave();
    listener = undefined;
  }, 90_000);

  it('keeps what looks like a secret out of what PM2 stores and shows', async () => {
    await pm2.ask(['reload', CONFIG], { HOOK_SECRET: `${CANARY}-2`, NPM_TOKEN: CANARY });
    await pm2.run('save');
    expect(pm2.dump).toContain('"MEDIA_SERVER": "embedded"');
    expect(pm2.dump).not.toContain(CANARY);
    expect(JSON.stringify(await pm2.apps())).not.toContain(CANARY);
  }, 90_000);

  it('stops with everything played out to the last sample, exits with 0, and leaves nothing running', async () => {
    const pcm = music(5, 71);
    const upload = longPost({ contentType: 'audio/pcm', unpaced: true });
    await httpRequest(`${apiUrl}/stream/tail/start`, { method: 'POST' });
    const tail = await FlvListener.connect(`${mediaUrl}/live/tail.flv`);
    await upload({ apiUrl, vibeId: 'tail' }, pcm, { chunkMs: 100 });
    await tail.until('1 s of sound', () => tail.frames.length > 47);
    pm2.processes();

    await pm2.run('stop', CONFIG);
    expect(await tail.end(5_000)).toBe('end');
    expect(expectSameFrames(tail.aacFrames, await encodeOffline(pcm)).firstFrame).toBe(0);
    expect(await pm2.app(NAME)).toMatchObject({ pid: 0, pm2_env: { status: 'stopped', exit_code: 0 } });
    expect(pm2.ownLog).not.toContain('sending SIGKILL');
    await pm2.expectGone({ stays: true });
  }, 90_000);

  it('refuses to reload into wrong settings, and leaves alone what runs', async () => {
    await pm2.run('start', CONFIG);
    const { pid } = await pm2.app(NAME);
    pm2.writeEnvFile({ AUTH_MODE: 'open', MEDIA_SERVER: 'embedded', HOLD_SECONDS: 'long' });
    const { exitCode, stderr } = await pm2.ask(['reload', CONFIG]);
    expect(exitCode).toBe(78);
    expect(stderr).toMatch(/^vibesflow: Wrong settings: HOLD_SECONDS /m);
    expect(await pm2.app(NAME)).toMatchObject({ pid, pm2_env: { status: 'online' } });
    // Stopping must not need right settings.
    await pm2.run('delete', CONFIG);
    expect(await pm2.apps()).toEqual([]);
    await pm2.expectGone({ stays: true });
  }, 90_000);

  function publish(wav: string, name: string): ChildProcess {
    const command = path.join(ROOT, 'dist', 'cli', 'vibesflow.js');
    const options = ['--vibe', 'night', '--creator', name, '--title', 'Late', '--url', apiUrl, '--loop'];
    return spawn(process.execPath, [command, 'publish', wav, ...options], { stdio: 'ignore' });
  }
});
