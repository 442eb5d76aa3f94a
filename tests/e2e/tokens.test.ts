import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { tuneWav } from '../../src/cli/tune';
import { Browser, type Page } from '../helpers/browser';
import { Daemon } from '../helpers/daemon';
import { eventually } from '../helpers/eventually';
import { FlvListener } from '../helpers/flv-listener';
import { httpRequest } from '../helpers/http-request';
import { itNeeds } from '../helpers/players';
import { RtmpPublisher } from '../helpers/rtmp-publisher';
import { type ProgramResult, runProgram } from '../helpers/run-program';
import { ROOT } from '../helpers/sources';
import { SECRET } from '../helpers/tokens';

const BIN = path.join(ROOT, 'dist/cli/vibesflow.js');

/** As far as it is looked at here. */
interface Joined {
  readonly streamingUrl: string;
  readonly hlsUrl: string;
}

describe('a relay with AUTH_MODE=token', () => {
  const home = mkdtempSync(path.join(os.tmpdir(), 'vibesflow-tokens-'));
  const wav = path.join(home, 'tune.wav');
  const env = { AUTH_MODE: 'token', AUTH_SECRET: SECRET };
  let daemon: Daemon;
  beforeAll(async () => {
    writeFileSync(wav, Buffer.concat([...tuneWav(3)]));
    daemon = await Daemon.start(env);
  });
  afterAll(async () => {
    await daemon?.stop();
    rmSync(home, { recursive: true });
  });

  const vibesflow = (args: readonly string[], more: Record<string, string> = {}): Promise<ProgramResult> =>
    runProgram(process.execPath, [BIN, ...args], { env: { ...process.env, ...more } });
  const mint = async (...args: string[]): Promise<string> =>
    (await vibesflow(['token', ...args], env)).stdout.toString().trim();

  it('is used by the command with tokens that the command mints, and logs none of them', async () => {
    const creator = await mint('--role', 'creator', '--vibe', 'show-*', '--subject', 'ana');
    const participant = await mint('--role', 'participant', '--vibe', 'show-1');
    const admin = await mint('--role', 'admin');
    const url = ['--url', daemon.apiUrl];
    const asAdmin = { headers: { authorization: `Bearer ${admin}` } };
    const status = async (): Promise<Record<string, unknown>> =>
      JSON.parse((await httpRequest(`${daemon.apiUrl}/stream/show-1`, asAdmin)).body.toString()) as never;

    const refused = await vibesflow(['publish', wav, '--vibe', 'show-1', ...url]);
    expect(refused.exitCode).toBe(69);
    expect(refused.stderr).toContain('401 unauthorized');
    const elsewhere = await vibesflow(['publish', wav, '--vibe', 'other', ...url, '--token', creator]);
    expect(elsewhere.stderr).toContain('403 forbidden');

    const publishing = vibesflow(['publish', wav, '--vibe', 'show-1', ...url], { VIBESFLOW_TOKEN: creator });
    await eventually('it is on air', async () => (await status())['isStreaming'] === true);
    const listening = await vibesflow(['listen', 'show-1', '--seconds', '1', ...url, '--token', participant]);
    expect(listening.exitCode).toBe(0);
    expect((await publishing).exitCode).toBe(0);

    expect(daemon.output).toMatch(/"audit":"refused","code":"unauthorized"/);
    expect(daemon.output).toMatch(/"audit":"done","act":"start","vibeId":"show-1","by":"ana"/);
    const ticket = await mint('--role', 'participant', '--vibe', 'show-1', '--expires', '5m');
    await httpRequest(`${daemon.apiUrl}/stream/show-1?token=${ticket}`);
    for (const secret of [SECRET, creator, participant, admin, ticket])
      expect(daemon.output).not.toContain(secret.split('.').at(-1));
  });

  it('plays a private vibe to who joined it, and cuts off who left', async () => {
    const creator = { authorization: `Bearer ${await mint('--role', 'creator', '--vibe', 'quiet')}` };
    const participant = { authorization: `Bearer ${await mint('--role', 'participant', '--vibe', 'quiet')}` };
    const ask = async (door: string, headers: Record<string, string>, json: object = {}): Promise<Joined> => {
      const { body } = await httpRequest(`${daemon.apiUrl}/stream/quiet/${door}`, {
        method: 'POST',
        headers: { ...headers, 'content-type': 'application/json' },
        body: JSON.stringify(json),
      });
      return JSON.parse(body.toString()) as Joined;
    };
    const status = async (url: string): Promise<number> =>
      (await httpRequest(url, { method: 'HEAD' })).status;

    await ask('start', creator, { visibility: 'private' });
    const sending = httpRequest(`${daemon.apiUrl}/stream/quiet/audio`, {
      method: 'POST',
      headers: { ...creator, 'content-type': 'audio/wav' },
      body: Buffer.concat([...tuneWav(12)]),
    });
    const [ann, ben] = await Promise.all(
      ['ann', 'ben'].map((participantId) => ask('join', participant, { participantId })),
    );
    expect(ann?.streamingUrl).not.toBe(ben?.streamingUrl);
    for (const url of [daemon.flvUrl('quiet'), `${daemon.mediaUrl}/live/quiet.m3u8`]) {
      expect(await status(url)).toBe(401);
      expect(await status(`${url}?token=${SECRET}`)).toBe(403);
    }
    const [hers, his] = await Promise.all(
      [ann, ben].map((one) => FlvListener.connect(String(one?.streamingUrl))),
    );
    await his?.until('he hears it', () => (his?.frames.length ?? 0) > 20);
    const hls = String(ann?.hlsUrl);
    await eventually('there is HLS', async () => (await status(hls)) === 200);
    const segment = /^quiet-.*\.ts\?token=.*$/m.exec((await httpRequest(hls)).body.toString())?.[0];
    expect(await status(new URL(String(segment), hls).href)).toBe(200);

    const leftMs = performance.now();
    await ask('leave', participant, { participantId: 'ann' });
    expect(await hers?.end()).toBe('cut');
    expect(await status(hls)).toBe(403);
    expect(performance.now() - leftMs).toBeLessThan(5_000);
    const heard = his?.frames.length ?? 0;
    await his?.until('he hears it still', () => (his?.frames.length ?? 0) > heard + 20);
    his?.leave();
    await ask('end', creator, { drain: false });
    await sending;
    const tickets = [ann, ben].map((one) => /token=(.+)$/.exec(String(one?.hlsUrl))?.[1]);
    for (const ticket of tickets) expect(daemon.output).not.toContain(ticket);
  });

  itNeeds('chromium')('shows its pages to who has a token behind the # of the address', async () => {
    const creator = await mint('--role', 'creator', '--vibe', 'paged');
    const headers = { authorization: `Bearer ${creator}` };
    await httpRequest(`${daemon.apiUrl}/stream/paged/start`, {
      method: 'POST',
      headers: { ...headers, 'content-type': 'application/json' },
      body: '{"visibility":"private"}',
    });
    const sending = httpRequest(`${daemon.apiUrl}/stream/paged/audio`, {
      method: 'POST',
      headers: { ...headers, 'content-type': 'audio/wav' },
      body: Buffer.concat([...tuneWav(20)]),
    });
    const browser = await Browser.start();
    try {
      const text = (id: string): string => `document.getElementById('${id}')?.textContent ?? ''`;
      const shows = async (url: string, shown: string, wanted: RegExp): Promise<Page> => {
        const page = await browser.page(`location.href = ${JSON.stringify(`${daemon.apiUrl}${url}`)}`);
        const look = (): Promise<string> => page.run<string>(text(shown)).catch(() => '');
        await eventually(`${url} shows ${wanted.source}`, async () => wanted.test(await look()));
        return page;
      };
      await shows('/listen/paged', 'state', /by invitation only/);
      const guest = await mint('--role', 'participant', '--vibe', 'paged', '--expires', '5m');
      const page = await shows(`/listen/paged#token=${guest}`, 'state', /^Live/);
      await page.run(`document.getElementById('play').click()`);
      await eventually('it plays', () => page.run(`document.getElementById('audio').currentTime > 1`));
      await shows('/', 'summary', /shown to admins/);
      await shows(`/#token=${await mint('--role', 'admin')}`, 'summary', /1 vibe is live/);
    } finally {
      await browser.close();
    }
    await httpRequest(`${daemon.apiUrl}/stream/paged/end`, { method: 'POST', headers });
    await sending;
  });

  it('lets no other program of this machine publish, under whatever name', async () => {
    const admin = await mint('--role', 'admin');
    for (const name of ['nobodys', `nobodys?token=${admin}`]) {
      const stranger = new RtmpPublisher(`rtmp://127.0.0.1:${daemon.rtmpPort}/live/${name}`);
      expect((await stranger.ended).exitCode).not.toBe(0);
    }
    expect((await httpRequest(daemon.flvUrl('nobodys'))).status).toBe(404);
  });

  it('is in order for the doctor, who has its settings', async () => {
    const settings = {
      ...env,
      ...{ PORT: new URL(daemon.apiUrl).port, MEDIA_HTTP_PORT: new URL(daemon.mediaUrl).port },
      ...{ RTMP_PORT: String(daemon.rtmpPort), DATA_DIR: daemon.dataDir },
    };
    const { stdout } = await vibesflow(['doctor', '--live', '--json'], settings);
    const { checks } = JSON.parse(stdout.toString()) as { checks: { name: string; result: string }[] };
    const result = (name: string): string | undefined => checks.find((check) => check.name === name)?.result;
    expect([result('daemon'), result('live: ingest'), result('live: HLS')]).toEqual(['ok', 'ok', 'ok']);
    expect(result('daemon’s open files')).toBeDefined();
  });
});
