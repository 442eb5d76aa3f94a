import { performance } from 'node:perf_hooks';
import { Canary } from '../helpers/canary';
import { postRaw } from '../helpers/creators';
import { Daemon } from '../helpers/daemon';
import { delay, eventually } from '../helpers/eventually';
import { FaithfulListener } from '../helpers/faithful-listener';
import { httpRequest } from '../helpers/http-request';
import { quantile } from '../helpers/quantile';
import { music } from '../helpers/music';
import { describeSrs, type Srs } from '../helpers/srs';

const VIBES = 20;
/** What all of them have to be on air again. */
const ON_AIR_AGAIN_MS = 6_000;
/** SRS is away for so long before somebody starts it: the supervisor's first wait is shorter. */
const AWAY_MS = 300;
/** FFmpeg's restart waits 250 ms, SRS tears down for 100 and then some, and FFmpeg starts; players come back by themselves. */
const HEARD_AGAIN_MS = 3_000;
const PACING = { chunkMs: 200, leadMs: 1_000 };

describeSrs('what comes back after a kill, with SRS as the media server', () => {
  let daemon: Daemon;
  let srs: Srs;
  let canary: Canary;
  const listeners = new Map<string, FaithfulListener>();
  const creators: Promise<unknown>[] = [];

  beforeAll(async () => {
    canary = await Canary.start();
    daemon = await Daemon.startWithSrs();
    srs = daemon.srs as Srs;
  });
  afterAll(async () => {
    await Promise.all([...listeners.values()].map((listener) => listener.leave()));
    await canary?.stop();
    await daemon?.stop();
  });

  /** Puts a vibe on air, with a creator for so long and a listener who comes back. */
  async function onAir(vibeId: string, pcm: Buffer): Promise<FaithfulListener> {
    await daemon.startVibe(vibeId);
    const listener = new FaithfulListener(daemon.flvUrl(vibeId));
    listeners.set(vibeId, listener);
    const creator = postRaw(daemon.target(vibeId), pcm, PACING);
    creator.catch(() => undefined);
    creators.push(creator);
    return listener;
  }

  async function publishers(): Promise<string[]> {
    const streams = await srs.streams();
    return streams.filter(({ publish }) => publish.active).map(({ url }) => url);
  }

  it('is heard again soon after its FFmpeg was killed, with one FFmpeg and one publisher', async () => {
    const listener = await onAir('one', music(15, 71));
    await listener.hears(47);
    const [encoder] = daemon.encoders('one');
    if (!encoder) throw new Error('no FFmpeg');
    const killedMs = performance.now();
    process.kill(encoder.pid, 'SIGKILL');
    await listener.hears(1, killedMs + 100);
    await listener.hears(47);
    await canary.look();
    const gapMs = listener.longestGapMs(killedMs);
    console.info(`a listener who comes back missed ${gapMs.toFixed(0)} ms; ${canary.summary}`);
    expect(gapMs - canary.stalledMs(killedMs, killedMs + gapMs)).toBeLessThan(HEARD_AGAIN_MS);
    expect(daemon.encoders('one')).toHaveLength(1);
    expect(await publishers()).toEqual(['/live/one']);
    await Promise.all(creators.splice(0));
    await daemon.endVibe('one');
  });

  it(`has ${VIBES} vibes on air again within ${ON_AIR_AGAIN_MS / 1_000} s of a kill of SRS, one FFmpeg each`, async () => {
    const song = music(VIBES + 60, 72);
    const names = Array.from({ length: VIBES }, (_, index) => `many-${index}`);
    for (const [index, name] of names.entries())
      await onAir(name, song.subarray(index * 192_000, (index + 40) * 192_000));
    const ears = names.map((name) => listeners.get(name) as FaithfulListener);
    await Promise.all(ears.map((ear) => ear.hears(47)));

    const killedMs = performance.now();
    await srs.kill();
    await delay(AWAY_MS);
    await srs.run();
    const upMs = performance.now();
    await Promise.all(ears.map((ear) => ear.hears(1, upMs)));
    await canary.look();
    const backMs = ears.map((ear) => (ear.soundAtMs.find((atMs) => atMs > upMs) ?? NaN) - killedMs);
    const worstMs = Math.max(...backMs);
    console.info(
      `heard again after the kill of SRS: median ${quantile(backMs, 0.5).toFixed(0)} ms, ` +
        `worst ${worstMs.toFixed(0)} ms (SRS was up after ${(upMs - killedMs).toFixed(0)} ms); ${canary.summary}`,
    );
    expect(canary.netMs(killedMs, killedMs + worstMs)).toBeLessThan(ON_AIR_AGAIN_MS);

    await Promise.all(ears.map((ear) => ear.hears(47)));
    for (const name of names) expect(daemon.encoders(name)).toHaveLength(1);
    expect((await publishers()).sort()).toEqual(names.map((name) => `/live/${name}`).sort());
    // Whoever listens by HLS finds it where it was, though listeners of HTTP-FLV were back before FFmpeg.
    for (const name of names)
      await eventually(`HLS of ${name}`, async () => (await httpRequest(srs.hlsUrl(name))).status === 200);
    await Promise.all(creators.splice(0));
    for (const name of names) await daemon.endVibe(name, { drain: false });
  }, 180_000);
});
