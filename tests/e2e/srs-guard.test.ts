import { readdirSync } from 'node:fs';
import path from 'node:path';
import { postRaw } from '../helpers/creators';
import { Daemon } from '../helpers/daemon';
import { eventually } from '../helpers/eventually';
import { FaithfulListener } from '../helpers/faithful-listener';
import { FlvListener } from '../helpers/flv-listener';
import { httpRequest } from '../helpers/http-request';
import { music } from '../helpers/music';
import { describeSrs, type Srs } from '../helpers/srs';

const VIBES = 20;
const ROUNDS = 10;
const PLAYERS = 5;
const PACING = { chunkMs: 200, leadMs: 1_000 };
const AAC_FRAME_SAMPLES = 1024;

describeSrs('the guard of each vibe’s stream', () => {
  let daemon: Daemon;
  let srs: Srs;
  const pcm = music(4, 91);

  beforeAll(async () => {
    daemon = await Daemon.startWithSrs();
    srs = daemon.srs as Srs;
  });
  afterAll(async () => daemon?.stop());

  const wrongNames = (): string[] =>
    readdirSync(path.join(srs.hlsDirectory, 'live')).filter((file) => file.includes('.flv'));

  async function hasHls(vibeId: string): Promise<void> {
    await eventually(`HLS of ${vibeId}`, async () => (await httpRequest(srs.hlsUrl(vibeId))).status === 200);
  }

  /** A listener who asks again until it is let in: before the vibe is started it is refused. */
  async function joinAtOnce(vibeId: string): Promise<FlvListener> {
    return eventually(
      `a listener of ${vibeId}`,
      async () => {
        const listener = await FlvListener.join(daemon.flvUrl(vibeId));
        const refused = listener.ended.then(() => true);
        const letIn = listener.until('sound', () => listener.frames.length > 0).then(() => false);
        return (await Promise.race([refused, letIn.catch(() => true)])) ? undefined : listener;
      },
      { everyMs: 5 },
    );
  }

  it(`has ${VIBES} vibes heard that start together, each with a listener in the same moment`, async () => {
    const names = Array.from({ length: VIBES }, (_, index) => `together-${index}`);
    const joining = names.map(joinAtOnce);
    await Promise.all(names.map((name) => daemon.startVibe(name)));
    const posting = names.map((name) => postRaw(daemon.target(name), pcm, PACING));
    const listeners = await Promise.all(joining);
    await Promise.all(posting);
    await Promise.all(names.map(hasHls));
    expect(wrongNames()).toEqual([]);
    const metrics = await daemon.metrics();
    expect({
      starts: metrics.sum('vibesflow_encoder_starts_total'),
      unheard: metrics.sum('vibesflow_srs_probes_total', { result: 'unheard' }),
      lost: metrics.sumOrZero('vibesflow_samples_lost_total'),
    }).toEqual({ starts: VIBES, unheard: 0, lost: 0 });
    for (const listener of listeners) listener.leave();
    await Promise.all(names.map((name) => daemon.endVibe(name, { drain: false })));
  }, 120_000);

  it('knows what the kill of an FFmpeg has cost, to the AAC frame', async () => {
    const lostSamples = async (): Promise<number> =>
      (await daemon.metrics()).sumOrZero('vibesflow_samples_lost_total');
    const before = await lostSamples();
    await daemon.startVibe('cost');
    // Whole AAC frames, and behind them silence in whole AAC frames: so the loss is in whole ones, where it is exact.
    await postRaw(daemon.target('cost'), pcm.subarray(0, 90 * AAC_FRAME_SAMPLES * 4), PACING);
    await eventually('silence', async () => (await daemon.status('cost'))?.['state'] === 'holding');
    await eventually('it is published', () => srs.stream('cost').then((stream) => stream?.publish.active));
    process.kill(daemon.encoders('cost')[0]?.pid as number, 'SIGKILL');
    await eventually('the loss is known', async () => (await lostSamples()) > before);
    expect(((await lostSamples()) - before) % AAC_FRAME_SAMPLES).toBe(0);
    await daemon.endVibe('cost', { drain: false });
  }, 60_000);

  it(`keeps HLS under its name over ${ROUNDS} kills of SRS with ${PLAYERS} players who come back at once`, async () => {
    await daemon.startVibe('often');
    const posting = postRaw(daemon.target('often'), music(90, 93), PACING);
    posting.catch(() => undefined);
    const players = Array.from({ length: PLAYERS }, () => new FaithfulListener(daemon.flvUrl('often')));
    await players[0]?.hears(1);
    for (let round = 0; round < ROUNDS; round += 1) {
      await srs.kill();
      await srs.run();
      await Promise.all(players.map((player) => player.hears(10)));
      await hasHls('often');
      expect({ round, wrong: wrongNames(), encoders: daemon.encoders('often').length }).toEqual({
        round,
        wrong: [],
        encoders: 1,
      });
    }
    await Promise.all(players.map((player) => player.leave()));
    await daemon.endVibe('often', { drain: false });
  }, 180_000);
});
