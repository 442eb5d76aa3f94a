import { performance } from 'node:perf_hooks';
import { Canary } from '../helpers/canary';
import { longPost, postRaw } from '../helpers/creators';
import type { Daemon } from '../helpers/daemon';
import { eventually } from '../helpers/eventually';
import { httpRequest, jsonRequest } from '../helpers/http-request';
import { describeWithEach } from '../helpers/media-servers';
import { music } from '../helpers/music';
import { encodeOffline, expectSameFrames } from '../helpers/offline-encode';
import { describeProcess, isAlive } from '../helpers/processes';
import { WebSocketCreator } from '../helpers/websocket-creator';

const upload = longPost({ contentType: 'audio/pcm', unpaced: true });

let canary: Canary;
beforeAll(async () => {
  canary = await Canary.start();
});
afterAll(async () => canary?.stop());

/** What has passed since, less what the machine stalled. */
async function netMsSince(fromMs: number): Promise<number> {
  const nowMs = performance.now();
  await canary.look();
  const netMs = canary.netMs(fromMs, nowMs);
  console.info(
    `${(nowMs - fromMs).toFixed(0)} ms, ${netMs.toFixed(0)} ms of them its own; ${canary.summary}`,
  );
  return netMs;
}

describeWithEach('a daemon told to stop (SIGTERM) in mid-stream', (media) => {
  let daemon: Daemon;
  afterEach(async () => daemon?.stop());

  it('refuses new vibes, plays every buffered sample to the listener, exits with 0 and leaves nothing', async () => {
    daemon = await media.start();
    const pcm = music(5, 61);
    await daemon.startVibe('drained');
    const listener = await daemon.listen('drained');
    await upload(daemon.target('drained'), pcm, { chunkMs: 100 });
    await listener.until('1 s of sound', () => listener.frames.length > 47);

    daemon.signal('SIGTERM');
    const refused = await eventually('new vibes are refused', async () => {
      const answer = await jsonRequest(`${daemon.apiUrl}/stream/late/start`, {
        method: 'POST',
        json: { creator: 'late' },
      });
      return answer.status === 503 && answer;
    });
    expect(refused.json).toMatchObject({ status: 503, code: 'draining' });
    expect((await httpRequest(`${daemon.apiUrl}/ready`)).status).toBe(503);

    expect(await listener.end()).toBe(media.flvEnd);
    expect(expectSameFrames(listener.aacFrames, await encodeOffline(pcm), media.tailFrames).firstFrame).toBe(
      0,
    );
    expect(await daemon.ended).toEqual({ exitCode: 0, signal: null });
    await daemon.expectNoResidue();
  });

  it('tells a creator on a WebSocket that it restarts (1012)', async () => {
    daemon = await media.start();
    const creator = await WebSocketCreator.connect(daemon.target('told'));
    await creator.message('ready');
    creator.send(music(1, 62));
    await eventually(
      'the audio is accepted',
      async () => (await daemon.status('told'))?.['state'] === 'live',
    );
    daemon.signal('SIGTERM');
    expect((await creator.closed).code).toBe(1012);
    expect(await daemon.ended).toEqual({ exitCode: 0, signal: null });
  });

  it('ends at once at a second signal', async () => {
    daemon = await media.start();
    await daemon.startVibe('impatient');
    await upload(daemon.target('impatient'), music(20, 63), { chunkMs: 100 });
    await eventually('an encoder runs', () => daemon.encoders('impatient').length === 1);
    daemon.signal('SIGTERM');
    await eventually('it drains', async () => (await httpRequest(`${daemon.apiUrl}/ready`)).status === 503);
    expect(daemon.isRunning).toBe(true);
    const askedAgainMs = performance.now();
    daemon.signal('SIGTERM');
    await daemon.ended;
    expect(await netMsSince(askedAgainMs)).toBeLessThan(1_500);
  });
});

describeWithEach('a daemon killed with SIGKILL', (media) => {
  it('leaves no FFmpeg and no media server behind for longer than 2 s', async () => {
    const daemon = await media.start();
    await Promise.all(
      ['one', 'two', 'three'].map(async (vibeId, index) => {
        await postRaw(daemon.target(vibeId), music(1, 64 + index), { leadMs: 1_000 });
        await eventually('an encoder runs', () => daemon.encoders(vibeId).length === 1);
      }),
    );
    const family = daemon.processes();
    // Three FFmpegs, and the media server where it is the daemon's own.
    expect(family.length).toBeGreaterThanOrEqual(media.kind === 'embedded' ? 4 : 3);
    const killedAtMs = performance.now();
    daemon.signal('SIGKILL');
    await daemon.ended;
    await eventually('the whole family is gone', () => {
      const left = family.filter(isAlive);
      if (left.length > 0) throw new Error(left.map(describeProcess).join('; '));
      return true;
    });
    expect(await netMsSince(killedAtMs)).toBeLessThan(2_000);
    // Checks the rest too, and ends an SRS beside the daemon.
    await daemon.stop();
  });
});
