import { readFileSync } from 'node:fs';
import path from 'node:path';
import { joinAdts } from '../helpers/adts';
import { Browser, type Page } from '../helpers/browser';
import { Daemon } from '../helpers/daemon';
import { delay, eventually } from '../helpers/eventually';
import { decode } from '../helpers/ffmpeg';
import { FlvListener } from '../helpers/flv-listener';
import { httpRequest, jsonRequest } from '../helpers/http-request';
import { SRS_BINARY, srsVersion } from '../helpers/srs';
import { toneLevels } from '../helpers/tones';

const PAGE = readFileSync(path.join(__dirname, '../fixtures/rtc-page.js'), 'utf8');
const HOLD_SECONDS = 4;
/** Browsers take their time on a busy machine. */
const SOON_MS = 30_000;
/** What is decoded to look for tones: one second. */
const FRAMES = 47;
/** A fourth of what a page plays: well above what AAC smears, well below what it sends. */
const LOUD = 0.08;
const FAINT = LOUD / 10;
/** The nearest that the page's spectrum can tell. */
const HERTZ = 12;

const LEFT = 440;
const RIGHT = 1000;

interface Result {
  readonly status: number;
  readonly location: string;
  readonly call: number;
  readonly problem?: string;
}

const missing = SRS_BINARY
  ? Browser.program
    ? ''
    : 'no Chromium (apt-get install chromium)'
  : 'SRS_BINARY names no SRS';
const title = 'WebRTC from and to a browser';

/** A suite that quietly proves less is worse than a red one: with an SRS to be tried, CI must have a browser too. */
if (SRS_BINARY && missing && process.env['CI'] === 'true') throw new Error(missing);

(missing ? describe.skip : describe)(
  missing ? `${title} [SKIPPED: ${missing}]` : `${title} [SRS ${srsVersion()}]`,
  () => {
    let daemon: Daemon;
    let browser: Browser;
    let page: Page;

    beforeAll(async () => {
      [daemon, browser] = await Promise.all([
        Daemon.startWithSrs({ HOLD_SECONDS: String(HOLD_SECONDS) }),
        Browser.start(),
      ]);
      page = await browser.page(PAGE);
    }, 90_000);
    afterAll(async () => {
      await browser?.close();
      await daemon?.stop();
    }, 90_000);

    const whip = (vibeId: string, query = ''): string =>
      `${daemon.apiUrl}/rtc/v1/whip/?app=live&stream=${vibeId}${query}`;
    const whep = (vibeId: string): string => `${daemon.apiUrl}/rtc/v1/whep/?app=live&stream=${vibeId}`;
    const call = <T>(name: string, ...args: unknown[]): Promise<T> =>
      page.run<T>(`rtc.${name}(${args.map((arg) => JSON.stringify(arg)).join(', ')})`);

    async function publish(vibeId: string, tones = [LEFT, RIGHT], query = '&creator=ann'): Promise<Result> {
      const result = await call<Result>('publish', whip(vibeId, query), tones);
      expect(result).toMatchObject({
        status: 201,
        location: expect.stringMatching(/^\/rtc\/v1\/whip\/[\w-]{20,}$/),
      });
      return result;
    }

    async function listen(vibeId: string): Promise<Result> {
      const result = await call<Result>('listen', whep(vibeId));
      expect(result).toMatchObject({
        status: 201,
        location: expect.stringMatching(/^\/rtc\/v1\/whep\/[\w-]{20,}$/),
      });
      return result;
    }

    const stateOf = async (vibeId: string): Promise<unknown> => (await daemon.status(vibeId))?.['state'];
    const isIn = (vibeId: string, state: string): Promise<boolean> =>
      eventually(`${vibeId} is ${state}`, async () => (await stateOf(vibeId)) === state, {
        withinMs: SOON_MS,
      });

    /** Waits until the last second at a listener has these tones, each in its own channel. */
    async function expectTones(
      listener: FlvListener,
      [left, right]: readonly [number, number],
    ): Promise<void> {
      await eventually(
        `${left} Hz left and ${right} Hz right over HTTP-FLV`,
        async () => {
          const frames = listener.aacFrames.slice(-FRAMES);
          if (frames.length < FRAMES) return false;
          const sound = await decode(joinAdts(frames), 'aac');
          const [[leftIn, leftOut], [rightOut, rightIn]] = [
            toneLevels(sound, left),
            toneLevels(sound, right),
          ];
          const levels = { leftIn, leftOut, rightIn, rightOut };
          if (leftIn > LOUD && rightIn > LOUD && leftOut < FAINT && rightOut < FAINT) return true;
          throw new Error(JSON.stringify(levels));
        },
        { withinMs: SOON_MS, everyMs: 100 },
      );
    }

    async function expectHeard(listening: Result, [left, right]: readonly [number, number]): Promise<void> {
      await eventually(
        `${left} Hz left and ${right} Hz right in the browser`,
        async () => {
          const tones = await call<[number, number]>('heard', listening.call);
          if (Math.abs(tones[0] - left) < HERTZ && Math.abs(tones[1] - right) < HERTZ) return true;
          throw new Error(JSON.stringify(tones));
        },
        { withinMs: SOON_MS, everyMs: 100 },
      );
    }

    /** Clients that SRS has in the vhost of browsers that send: publishers, unless told. */
    async function publishersInSrs(): Promise<string[]> {
      const { json } = await jsonRequest(`${daemon.srs?.apiUrl}/api/v1/clients/?count=1000`);
      const clients = json['clients'] as { url: string; publish: boolean; id: string }[];
      return clients.filter(({ url, publish }) => publish && url.startsWith('whip/')).map(({ id }) => id);
    }

    it('a browser sends, and is a vibe like any other: heard over HTTP-FLV, in stereo', async () => {
      const sent = await publish('sent');
      await isIn('sent', 'live');
      const listener = await FlvListener.connect(daemon.flvUrl('sent'));
      await expectTones(listener, [LEFT, RIGHT]);
      const { json } = await jsonRequest(`${daemon.apiUrl}/streams/active`);
      expect(json['activeStreams']).toEqual([
        expect.objectContaining({
          vibeId: 'sent',
          creator: 'ann',
          isStreaming: true,
          listeners: 1,
          signal: 'ok',
        }),
      ]);
      const metrics = await daemon.metrics();
      expect(metrics.sum('vibesflow_rtc_sessions', { door: 'whip' })).toBe(1);
      expect(metrics.sum('vibesflow_whip_packets_lost_total')).toBe(0);

      // The end of the session is the creator's going: silence, then the end.
      expect(await call<number>('remove', `${daemon.apiUrl}${sent.location}`)).toBe(200);
      await isIn('sent', 'holding');
      expect(listener.isConnected).toBe(true);
      await isIn('sent', 'ended');
      await listener.end();
      expect(await call<number>('remove', `${daemon.apiUrl}${sent.location}`)).toBe(200);
      expect(await publishersInSrs()).toEqual([]);
    }, 120_000);

    it('a browser hears a vibe, in stereo, at 128 kbit/s or better, and counts as a listener', async () => {
      const sent = await publish('heard');
      await isIn('heard', 'live');
      const first = await listen('heard');
      await expectHeard(first, [LEFT, RIGHT]);
      const listenersAre = (count: number): Promise<boolean> =>
        eventually(
          `${count} listeners`,
          async () => {
            const { listeners } = (await daemon.status('heard')) ?? {};
            if (listeners === count) return true;
            throw new Error(`${String(listeners)}`);
          },
          { withinMs: SOON_MS },
        );
      // The feeder plays the vibe as well, and is no listener.
      await listenersAre(1);

      const before = await call<{ bytes: number; atMs: number }>('received', first.call);
      await delay(3_000);
      const after = await call<{ bytes: number; atMs: number }>('received', first.call);
      expect(((after.bytes - before.bytes) * 8) / (after.atMs - before.atMs)).toBeGreaterThanOrEqual(128);

      const second = await listen('heard');
      await expectHeard(second, [LEFT, RIGHT]);
      await listenersAre(2);
      expect((await daemon.metrics()).sum('vibesflow_whep_feeders')).toBe(1);

      expect(await call<number>('remove', `${daemon.apiUrl}${second.location}`)).toBe(200);
      await listenersAre(1);
      // A page that goes without a word: SRS tells within its time-out.
      await call('hangUp', first.call);
      await listenersAre(0);

      await call('remove', `${daemon.apiUrl}${sent.location}`);
      await isIn('heard', 'ended');
      await eventually('the feeder is gone', () => daemon.encoders('heard').length === 0, {
        withinMs: SOON_MS,
      });
    }, 180_000);

    /** Some two seconds (40 kB at 160 kbit/s) are received from now on, and sound as they should. */
    async function expectHeardOn(listening: Awaited<ReturnType<typeof listen>>): Promise<void> {
      const bytes = async (): Promise<number> =>
        (await call<{ bytes: number }>('received', listening.call)).bytes;
      const before = await bytes();
      await eventually('more is received', async () => (await bytes()) > before + 40_000, {
        withinMs: SOON_MS,
      });
      await expectHeard(listening, [LEFT, RIGHT]);
    }

    it('goes on for browsers when the vibe’s encoder dies', async () => {
      const sent = await publish('restarts');
      await isIn('restarts', 'live');
      const listening = await listen('restarts');
      await expectHeard(listening, [LEFT, RIGHT]);
      const { pid } = (await daemon.status('restarts'))?.['encoder'] as { pid: number };
      process.kill(pid, 'SIGKILL');
      await eventually(
        'another encoder runs',
        async () => {
          const encoder = (await daemon.status('restarts'))?.['encoder'] as { pid: number; state: string };
          return encoder.state === 'running' && encoder.pid !== pid;
        },
        { withinMs: SOON_MS },
      );
      await expectHeardOn(listening);
      await call('remove', `${daemon.apiUrl}${sent.location}`);
      await daemon.endVibe('restarts', { creator: 'ann', drain: false });
    }, 180_000);

    it('goes on for browsers when the copy for them dies', async () => {
      const sent = await publish('copied');
      await isIn('copied', 'live');
      const listening = await listen('copied');
      await expectHeard(listening, [LEFT, RIGHT]);
      const feeder = daemon.encoders('copied').find(({ argv }) => argv.at(-1)?.includes('vhost=whep'));
      process.kill(feeder?.pid as number, 'SIGKILL');
      await expectHeardOn(listening);
      await call('remove', `${daemon.apiUrl}${sent.location}`);
      await daemon.endVibe('copied', { creator: 'ann', drain: false });
    }, 180_000);

    it('the same creator’s newer session takes over from the older one, another’s does not', async () => {
      const older = await publish('taken');
      await isIn('taken', 'live');
      const listener = await FlvListener.connect(daemon.flvUrl('taken'));
      await expectTones(listener, [LEFT, RIGHT]);

      const thief = await call<Result>('publish', whip('taken', '&creator=eve'), [300, 300]);
      expect(thief.status).toBe(403);
      expect(JSON.parse(thief.problem ?? '')).toMatchObject({ code: 'wrong-creator' });

      const newer = await publish('taken', [600, 1500]);
      await expectTones(listener, [600, 1500]);
      await eventually('one publisher is left', async () => (await publishersInSrs()).length === 1, {
        withinMs: SOON_MS,
      });
      expect(await stateOf('taken')).toBe('live');
      expect((await daemon.metrics()).sum('vibesflow_takeovers_total')).toBe(1);

      // The older one's session is over: ending it again ends nothing.
      expect(await call<number>('remove', `${daemon.apiUrl}${older.location}`)).toBe(200);
      expect(await stateOf('taken')).toBe('live');
      expect(listener.isConnected).toBe(true);
      await call('remove', `${daemon.apiUrl}${newer.location}`);
      await daemon.endVibe('taken', { creator: 'ann', drain: false });
    }, 180_000);

    it('a browser that just goes is a creator that is away', async () => {
      const sent = await publish('left', [LEFT, RIGHT], '&creator=ann');
      await isIn('left', 'live');
      await call('hangUp', sent.call);
      await isIn('left', 'holding');
      await isIn('left', 'ended');
      await eventually(
        'its session is over',
        async () => {
          const metrics = await daemon.metrics();
          return metrics.sum('vibesflow_rtc_sessions', { door: 'whip' }) === 0;
        },
        { withinMs: SOON_MS },
      );
    }, 120_000);

    it('a browser that comes again after SRS was killed is heard again', async () => {
      await publish('again');
      await isIn('again', 'live');
      await daemon.srs?.kill();
      const refused = await call<Result>('publish', whip('again', '&creator=ann'), [600, 1500]);
      expect(refused.status).toBe(503);
      expect(JSON.parse(refused.problem ?? '')).toMatchObject({ code: 'not-ready', retryAfterSeconds: 2 });
      await daemon.srs?.run();
      await publish('again', [600, 1500]);
      const listener = await eventually(
        'a listener is let in',
        () => FlvListener.connect(daemon.flvUrl('again')).catch(() => undefined),
        { withinMs: SOON_MS },
      );
      await expectTones(listener, [600, 1500]);
      listener.leave();
      await daemon.endVibe('again', { creator: 'ann', drain: false });
    }, 180_000);

    it('SRS takes nobody who comes past the relay', async () => {
      const offer = await page.run<string>(
        `(async () => { const pc = new RTCPeerConnection(); pc.addTransceiver('audio', { direction: 'sendonly' });
          return (await pc.createOffer()).sdp; })()`,
      );
      for (const vhost of ['whip', 'whep', '__defaultVhost__']) {
        const past = `${daemon.srs?.apiUrl}/rtc/v1/whip/?vhost=${vhost}&app=live&stream=past&token=guessed`;
        const headers = { 'content-type': 'application/sdp' };
        const answer = await httpRequest(past, { method: 'POST', headers, body: offer }).catch(
          () => undefined,
        );
        expect(answer?.status).not.toBe(201);
      }
      expect(await daemon.status('past')).toBeUndefined();
    }, 60_000);
  },
);
