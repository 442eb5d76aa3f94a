import { Canary, notJudged } from '../../helpers/canary';
import { longPost } from '../../helpers/creators';
import { Daemon } from '../../helpers/daemon';
import { delay } from '../../helpers/eventually';
import { FlvListener } from '../../helpers/flv-listener';
import { music } from '../../helpers/music';
import { quantile } from '../../helpers/quantile';
import { worstLatenessMs } from '../../helpers/pacing';
import { openDescriptors, residentBytes } from '../../helpers/processes';

/** The ten minutes that the relay promises with `LONG=1`; else a short version that finds coarse leaks. */
const IS_LONG = process.env['LONG'] === '1';
const SECONDS = IS_LONG ? 600 : 60;
const VIBES = 20;
const LISTENERS_PER_VIBE = 3;
const SAMPLE_EVERY_MS = 2_500;
const PACING = { chunkMs: 100, leadMs: 500 };
/** A creator or a machine that is late by so much has used up most of what the vibe was ahead. */
const DISTURBED_MS = 200;
/** Resident memory still settles for some time after the start: this share of the samples is not judged. */
const WARM_UP_SHARE = 0.3;
/** Connections that a client keeps for later are not leaked, and few. */
const LEAKED_AT_MOST = 2;
const MIB = 1024 * 1024;
/** What flat means. Within a minute V8 has not yet settled on a heap size, so the short version is coarse. */
const MAX_GROWTH_MIB = IS_LONG ? 8 : 32;

interface Sample {
  readonly rss: number;
  readonly mediaRss: number;
  readonly descriptors: number;
  readonly mediaDescriptors: number;
}

describe(`${VIBES} vibes and ${VIBES * LISTENERS_PER_VIBE} listeners for ${SECONDS} s`, () => {
  let daemon: Daemon;
  let samples: Sample[];
  let listenerEnds: string[];
  let underruns: number;
  let loopP99Ms: number;
  /** The same percentile of what a process that does nothing was late by meanwhile. */
  let idleP99Ms: number;
  let latestCreatorMs: number;
  let worstStallMs: number;
  let machine: string;

  beforeAll(
    async () => {
      daemon = await Daemon.start();
      const canary = await Canary.start();
      const song = music(30, 81);
      const piece = Buffer.concat(Array.from({ length: Math.ceil(SECONDS / 30) }, () => song));
      const vibeIds = Array.from({ length: VIBES }, (_, index) => `flat-${index}`);
      await Promise.all(vibeIds.map((vibeId) => daemon.startVibe(vibeId)));
      const listeners = await Promise.all(
        vibeIds.flatMap((vibeId) =>
          Array.from({ length: LISTENERS_PER_VIBE }, () => FlvListener.connect(daemon.flvUrl(vibeId))),
        ),
      );
      let isSending = true;
      const sent = Promise.all(
        vibeIds.map((vibeId, index) => {
          // Spread over half a second: twenty creators do not send in step.
          const upload = longPost({ contentType: 'audio/pcm' });
          return delay(index * 25).then(() => upload(daemon.target(vibeId), piece, PACING));
        }),
      ).finally(() => (isSending = false));
      sent.catch(() => undefined);

      samples = [];
      let judgedFromMs = 0;
      const media = daemon.mediaServerProcess();
      const warmUpSamples = Math.round((SECONDS * 1_000 * WARM_UP_SHARE) / SAMPLE_EVERY_MS);
      while (isSending) {
        await Promise.race([delay(SAMPLE_EVERY_MS), sent.catch(() => undefined)]);
        if (!isSending) break;
        // The histogram of event-loop delays starts anew with each look at it: one look now, one at the end.
        if (samples.length === warmUpSamples) {
          await daemon.metrics();
          judgedFromMs = performance.now();
        }
        samples.push({
          rss: residentBytes(daemon.pid),
          mediaRss: residentBytes(media?.pid ?? 0),
          descriptors: openDescriptors(daemon.pid),
          mediaDescriptors: openDescriptors(media?.pid ?? 0),
        });
      }
      const sends = await sent;
      const metrics = await daemon.metrics();
      const untilMs = performance.now();
      await canary.stop();
      machine = canary.summary;
      idleP99Ms = canary.latenessMs(judgedFromMs, untilMs, 0.99);
      worstStallMs = canary.worstStallMs(0, untilMs);
      latestCreatorMs = Math.max(...sends.map((each) => worstLatenessMs(each, PACING)));
      underruns = metrics.sumOrZero('vibesflow_underruns_total');
      loopP99Ms = metrics.sum('vibesflow_nodejs_eventloop_lag_p99_seconds') * 1_000;
      await Promise.all(vibeIds.map((vibeId) => daemon.endVibe(vibeId)));
      listenerEnds = await Promise.all(listeners.map((listener) => listener.end()));
    },
    SECONDS * 1_000 + 120_000,
  );
  afterAll(async () => daemon?.stop());

  const judged = (): Sample[] => samples.slice(Math.ceil(samples.length * WARM_UP_SHARE));
  /** Median of the last third less median of the first third of what is judged. */
  const growth = (pick: (sample: Sample) => number): number => {
    const values = judged().map(pick);
    const third = Math.ceil(values.length / 3);
    return quantile(values.slice(-third), 0.5) - quantile(values.slice(0, third), 0.5);
  };

  it('keeps memory flat, in the daemon and in the media server', () => {
    const daemonMib = growth(({ rss }) => rss) / MIB;
    const mediaMib = growth(({ mediaRss }) => mediaRss) / MIB;
    const last = samples.at(-1);
    console.info(
      `grew by ${daemonMib.toFixed(1)} MiB to ${((last?.rss ?? 0) / MIB).toFixed(0)} (daemon), ` +
        `${mediaMib.toFixed(1)} MiB to ${((last?.mediaRss ?? 0) / MIB).toFixed(0)} (media server)`,
    );
    expect(daemonMib).toBeLessThan(MAX_GROWTH_MIB);
    expect(mediaMib).toBeLessThan(MAX_GROWTH_MIB);
  });

  it('keeps the number of open descriptors flat', () => {
    for (const pick of [(s: Sample) => s.descriptors, (s: Sample) => s.mediaDescriptors]) {
      const counts = judged().map(pick);
      const third = Math.ceil(counts.length / 3);
      const [first, last] = [counts.slice(0, third), counts.slice(-third)];
      console.info(`descriptors: ${Math.min(...counts)} to ${Math.max(...counts)}`);
      // Questions and answers of the moment come and go, and only ever add; what leaks raises the least there is.
      expect(Math.min(...last) - Math.min(...first)).toBeLessThanOrEqual(LEAKED_AT_MOST);
    }
  });

  it('keeps the 99th percentile of the event-loop delay below 20 ms', () => {
    // The metric holds the 10 ms between two looks at the clock, too: a loop with nothing to do shows 11 ms.
    // What a process that does nothing is late by, this one may be, too.
    console.info(
      `event loop p99: ${loopP99Ms.toFixed(1)} ms; of a process that idles: ${idleP99Ms.toFixed(1)} ms; ${machine}`,
    );
    expect(loopP99Ms).toBeLessThan(20 + idleP99Ms);
  });

  it('plays every vibe to its end, without an underrun', () => {
    expect(listenerEnds).toEqual(Array.from({ length: VIBES * LISTENERS_PER_VIBE }, () => 'end'));
    const lateMs = Math.max(latestCreatorMs, worstStallMs);
    if (underruns > 0 && lateMs > DISTURBED_MS)
      return notJudged(
        `${underruns} underruns`,
        `creators were late by ${latestCreatorMs.toFixed(0)} ms; ${machine}`,
      );
    expect(underruns).toBe(0);
  });
});
