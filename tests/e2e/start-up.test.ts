import { publishByHand } from '../helpers/bare-ffmpeg';
import { postRaw } from '../helpers/creators';
import { Daemon } from '../helpers/daemon';
import { FFMPEG } from '../helpers/ffmpeg';
import { firstTag } from '../helpers/first-tag';
import { music } from '../helpers/music';
import { quantile } from '../helpers/quantile';

const ROUNDS = 9;
const PCM = music(0.6, 91);
const PACING = { chunkMs: 20 };
/** The daemon's own, fed what starts it quickest. */
const BY_HAND = { path: FFMPEG, input: 'raw' } as const;
describe('from the first PCM byte to the first audio tag at a waiting listener', () => {
  let daemon: Daemon;
  const ms: Record<'byHand' | 'started' | 'unannounced', number[]> = {
    byHand: [],
    started: [],
    unannounced: [],
  };

  beforeAll(async () => {
    daemon = await Daemon.start();
    const take = async (kind: keyof typeof ms, vibeId: string, send: () => Promise<unknown>) =>
      ms[kind].push((await firstTag(daemon.flvUrl(vibeId), send)).tookMs);
    // In turns, so that whatever else the machine does hits all three alike.
    for (let round = 0; round < ROUNDS; round += 1) {
      const hand = `byhand-${round}`;
      const rtmpUrl = `rtmp://127.0.0.1:${daemon.rtmpPort}/live/${hand}`;
      await take('byHand', hand, () => publishByHand(PCM, PACING, rtmpUrl, undefined, BY_HAND));

      const started = `started-${round}`;
      await daemon.startVibe(started);
      await take('started', started, () => postRaw(daemon.target(started), PCM, PACING));
      await daemon.endVibe(started, { drain: false });

      const bare = `bare-${round}`;
      await take('unannounced', bare, () => postRaw(daemon.target(bare), PCM, PACING));
      await daemon.endVibe(bare, { drain: false });
    }
    for (const [name, values] of Object.entries(ms))
      console.info(
        `${name}: median ${quantile(values, 0.5).toFixed(0)} ms of ${values.map(Math.round).join(' ')}`,
      );
  }, 120_000);
  afterAll(async () => daemon?.stop(), 30_000);

  it.each(['started', 'unannounced'] as const)(
    'a vibe that was %s takes at most 1.5 times as long as FFmpeg run by hand',
    (kind) => {
      expect(quantile(ms[kind], 0.5)).toBeLessThanOrEqual(1.5 * quantile(ms.byHand, 0.5));
    },
  );
});
