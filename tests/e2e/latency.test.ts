import { Canary, notJudged } from '../helpers/canary';
import type { Daemon } from '../helpers/daemon';
import { burstSignal, latencies, type Latency } from '../helpers/latency';
import {
  ffmpegAlone,
  ffmpegAndSrs,
  PACING,
  type Recording,
  relayWebSocket,
  warmUpTogether,
  type Way,
} from '../helpers/latency-ways';
import { describeWithEach } from '../helpers/media-servers';
import { worstLatenessMs } from '../helpers/pacing';
import { quantile } from '../helpers/quantile';
import { SrsHouse } from '../helpers/srs-house';

const ROUND_SECONDS = 10;
/** Four quiet rounds are judged; a machine that gives none of them in so many has no verdict to give. */
const QUIET_ROUNDS = 4;
const MAX_ROUNDS = 9;
/**
 * A creator this late, or a machine that stalled for so long, makes an underrun: from then on, the buffer holds that
 * much more, and all that follows is later. The round is left out, and another one played.
 */
const DISTURBED_MS = 15;
const DEFAULT_PREBUFFER_MS = 60;
/** Three of each at the same time: p99 of one alone would be its single worst burst. */
const AT_ONCE = 3;

const WAYS = ['FFmpeg alone', 'FFmpeg and SRS alone', 'PREBUFFER_MS=0', 'defaults'] as const;
type Round = Readonly<Record<(typeof WAYS)[number], readonly Recording[]>>;

async function analyse(recordings: readonly Recording[]): Promise<Latency[]> {
  const found: Latency[] = [];
  for (const { heard, sends } of recordings) found.push(await latencies(heard, sends));
  return found;
}

interface Figures {
  readonly p50: number;
  readonly p99: number;
}

function figures(name: string, runs: readonly Latency[]): Figures {
  // The first second starts the pipeline; start-up has a suite of its own.
  const all = runs.flatMap((run) => run.eachMs.slice(2));
  const found = { p50: quantile(all, 0.5), p99: quantile(all, 0.99) };
  console.info(`${name}: p50 ${found.p50.toFixed(1)} ms, p99 ${found.p99.toFixed(1)} ms of ${all.length}`);
  return found;
}

describeWithEach('from hand-over of a 20 ms WebSocket chunk to its audio tag', (media) => {
  let direct: Daemon;
  let buffered: Daemon;
  let srsAlone: SrsHouse | undefined;
  const quiet: Round[] = [];
  let rounds = 0;
  let machine = '';
  let bare: Figures;
  let withoutPrebuffer: Figures;
  let withDefaults: Figures;
  let distances: number[];

  async function play(pcm: Buffer): Promise<Round> {
    const warmUp = warmUpTogether(AT_ONCE * (srsAlone ? 4 : 3));
    const times = (way: Way): Promise<Recording[]> =>
      Promise.all(
        Array.from({ length: AT_ONCE }, (_, index) => way(`round-${rounds}-${index}`, pcm, warmUp())),
      );
    const [bares, alones, directs, buffereds] = await Promise.all([
      times(ffmpegAlone()),
      srsAlone ? times(ffmpegAndSrs(srsAlone)) : [],
      times(relayWebSocket(direct)),
      times(relayWebSocket(buffered)),
    ]);
    return {
      'FFmpeg alone': bares,
      'FFmpeg and SRS alone': alones,
      'PREBUFFER_MS=0': directs,
      defaults: buffereds,
    };
  }

  beforeAll(async () => {
    [direct, buffered] = await Promise.all([media.start({ PREBUFFER_MS: '0' }), media.start()]);
    srsAlone = media.kind === 'srs' ? await SrsHouse.open() : undefined;
    const canary = await Canary.start();
    const pcm = burstSignal(ROUND_SECONDS);
    for (rounds = 0; rounds < MAX_ROUNDS && quiet.length < QUIET_ROUNDS; rounds += 1) {
      const round = await play(pcm);
      await canary.look();
      const sends = WAYS.flatMap((way) => round[way].map((recording) => recording.sends));
      const lateMs = Math.max(...sends.map((each) => worstLatenessMs(each, PACING)));
      const [first, last] = [sends[0]?.[0]?.atMs ?? 0, sends[0]?.at(-1)?.atMs ?? 0];
      const stallMs = canary.worstStallMs(first, last);
      const isQuiet = Math.max(lateMs, stallMs) < DISTURBED_MS;
      if (isQuiet) quiet.push(round);
      console.info(
        `round ${rounds}: creators late by ${lateMs.toFixed(1)} ms, the machine by ${stallMs.toFixed(1)} ms at worst: ` +
          (isQuiet ? 'judged' : 'left out'),
      );
    }
    machine = canary.summary;
    await canary.stop();
    const analysed = {
      bare: [] as Latency[],
      alone: [] as Latency[],
      direct: [] as Latency[],
      buffered: [] as Latency[],
    };
    for (const round of quiet) {
      analysed.bare.push(...(await analyse(round['FFmpeg alone'])));
      analysed.alone.push(...(await analyse(round['FFmpeg and SRS alone'])));
      analysed.direct.push(...(await analyse(round['PREBUFFER_MS=0'])));
      analysed.buffered.push(...(await analyse(round.defaults)));
    }
    bare = figures('FFmpeg alone', analysed.bare);
    if (srsAlone) figures('FFmpeg and SRS alone', analysed.alone);
    withoutPrebuffer = figures('PREBUFFER_MS=0', analysed.direct);
    withDefaults = figures('defaults', analysed.buffered);
    distances = analysed.buffered.flatMap((run) => run.distances);
  }, 240_000);
  afterAll(async () => {
    await Promise.all([direct?.stop(), buffered?.stop(), srsAlone?.close()]);
  });

  /** Whether there is enough to judge; says so where there is not. */
  function canJudge(what: string): boolean {
    if (quiet.length === QUIET_ROUNDS) return true;
    notJudged(what, `${quiet.length} of ${rounds} rounds were quiet, ${QUIET_ROUNDS} are needed; ${machine}`);
    return false;
  }

  const { p50, p99 } = media.addsMs;
  it(`with PREBUFFER_MS=0 adds at most ${p50} ms to FFmpeg’s own floor, and ${p99} ms at the 99th percentile`, () => {
    if (!canJudge('latency with PREBUFFER_MS=0')) return;
    expect(withoutPrebuffer.p50).toBeLessThanOrEqual(bare.p50 + p50);
    expect(withoutPrebuffer.p99).toBeLessThanOrEqual(bare.p99 + p99);
  });

  it('with the default adds at most the prebuffer to that', () => {
    if (!canJudge('latency with the defaults')) return;
    expect(withDefaults.p50).toBeLessThanOrEqual(bare.p50 + p50 + DEFAULT_PREBUFFER_MS);
    expect(withDefaults.p99).toBeLessThanOrEqual(bare.p99 + p99 + DEFAULT_PREBUFFER_MS);
  });

  it('neither loses nor inserts anything between the bursts', () => {
    for (const distance of distances) expect(Math.abs(distance - 24_000)).toBeLessThanOrEqual(48);
  });
});
