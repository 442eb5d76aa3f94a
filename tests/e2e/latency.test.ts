import { listenToBareFfmpeg, publishByHand, type WarmUp } from '../helpers/bare-ffmpeg';
import { Canary, notJudged } from '../helpers/canary';
import type { Daemon } from '../helpers/daemon';
import { delay } from '../helpers/eventually';
import { FlvListener, type HeardFrame } from '../helpers/flv-listener';
import { burstSignal, latencies, percentile, type Latency } from '../helpers/latency';
import { describeWithEach } from '../helpers/media-servers';
import { paced, worstLatenessMs, type Send } from '../helpers/pacing';
import { SrsHouse } from '../helpers/srs-house';
import { WebSocketCreator } from '../helpers/websocket-creator';

const ROUND_SECONDS = 10;
/** Four quiet rounds are judged; a machine that gives none of them in so many has no verdict to give. */
const QUIET_ROUNDS = 4;
const MAX_ROUNDS = 9;
/**
 * A creator this late, or a machine that stalled for so long, makes an underrun: from then on, the buffer holds that
 * much more, and all that follows is later. The round is left out, and another one played.
 */
const DISTURBED_MS = 15;
const PACING = { chunkMs: 20 };
const DEFAULT_PREBUFFER_MS = 60;
/**
 * Nine programs that start at once make the machine stall, and a vibe that ran dry in that moment holds more from then
 * on. So all are started first, with a second of silence; then their creators are away for so long that each vibe begins
 * anew.
 */
const WARM_UP = Buffer.alloc(48_000 * 4);
const AWAY_MS = 1_500;
/** Three of each at the same time: p99 of one alone would be its single worst burst. */
const AT_ONCE = 3;

/** What was heard and sent. Looked into only when all are done: that blocks the process, creators included. */
interface Recording {
  readonly heard: readonly HeardFrame[];
  readonly sends: readonly Send[];
}

const WAYS = ['FFmpeg alone', 'FFmpeg and SRS alone', 'PREBUFFER_MS=0', 'defaults'] as const;
type Way = (typeof WAYS)[number];
type Round = Readonly<Record<Way, readonly Recording[]>>;

async function throughDaemon(
  daemon: Daemon,
  vibeId: string,
  pcm: Buffer,
  warmUp: WarmUp,
): Promise<Recording> {
  await daemon.startVibe(vibeId);
  const listener = await daemon.listen(vibeId);
  const creator = await WebSocketCreator.connect(daemon.target(vibeId));
  await creator.message('ready');
  const send = (chunk: Buffer): void => creator.send(chunk);
  await warmUp(send);
  const sends = await paced(pcm, PACING, send);
  await creator.close();
  await daemon.endVibe(vibeId);
  await listener.end();
  return { heard: listener.frames, sends };
}

/** FFmpeg and SRS with no relay before them: SRS's own share. */
async function throughSrs({ srs }: SrsHouse, name: string, pcm: Buffer, warmUp: WarmUp): Promise<Recording> {
  const listener = await FlvListener.join(srs.flvUrl(name));
  const sends = await publishByHand(pcm, PACING, srs.rtmpUrl(name), warmUp);
  await listener.end();
  return { heard: listener.frames, sends };
}

/** @returns what each of `parties` does before its audio: a second of silence, then waits until all have been away */
function warmUpTogether(parties: number): WarmUp {
  let arrived = 0;
  let begin: () => void;
  const allAway = new Promise<void>((resolve) => (begin = resolve));
  return async (send) => {
    await paced(WARM_UP, PACING, send);
    arrived += 1;
    if (arrived === parties) void delay(AWAY_MS).then(() => begin());
    await allAway;
  };
}

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
  const found = { p50: percentile(all, 0.5), p99: percentile(all, 0.99) };
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
    const times = <T>(make: (vibeId: string) => Promise<T>): Promise<T[]> =>
      Promise.all(Array.from({ length: AT_ONCE }, (_, index) => make(`round-${rounds}-${index}`)));
    const house = srsAlone;
    const warmUp = warmUpTogether(AT_ONCE * (house ? 4 : 3));
    const [bares, alones, directs, buffereds] = await Promise.all([
      times(() => listenToBareFfmpeg(pcm, PACING, warmUp)),
      house ? times((name) => throughSrs(house, name, pcm, warmUp)) : [],
      times((vibeId) => throughDaemon(direct, vibeId, pcm, warmUp)),
      times((vibeId) => throughDaemon(buffered, vibeId, pcm, warmUp)),
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
