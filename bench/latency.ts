import { Canary } from '../tests/helpers/canary';
import { Daemon } from '../tests/helpers/daemon';
import {
  ffmpegAlone,
  ffmpegAndSrs,
  ffmpegByHand,
  PACING,
  relayPost,
  relayWebSocket,
  type Way,
} from '../tests/helpers/latency-ways';
import { quantile } from '../tests/helpers/quantile';
import { SRS_BINARY, srsVersion } from '../tests/helpers/srs';
import { SrsHouse } from '../tests/helpers/srs-house';
import { LatencyRounds, type Party } from './latency/rounds';
import type { Bench, BenchRun } from './lib/bench';
import { chosenFfmpegs, type Ffmpeg, FFMPEGS_OPTION } from './lib/ffmpegs';
import { OnAir } from './on-air/on-air';
import { distribution } from './lib/stats';

const ALONE = 'alone';
const BY_HAND = 'by hand, same media server';
const WEBSOCKET = 'relay, WebSocket';
const POST = 'relay, chunked POST';
const DEFAULTS = 'relay, default prebuffer';
const SRS_BY_HAND = 'and SRS by hand';
const SRS_RELAY = 'relay over SRS, WebSocket';

const DISTURBED_MS = 15;
/** A full machine stalls everybody for a moment now and then: that is what it is measured for. */
const DISTURBED_UNDER_LOAD_MS = 30;
const LOAD_VIBES = 60;

export const latency: Bench = {
  name: 'latency',
  summary: 'from the hand-over of a 20 ms chunk to its audio tag at a listener',
  description:
    'A 10 ms tone burst every half second; its latency is the arrival of the AAC frame that holds its first sample, less ' +
    'the hand-over of the chunk that held it. 20 ms chunks, PREBUFFER_MS=0, a WebSocket and one chunked POST, with each ' +
    'generation of FFmpeg that is here. The floor is the same FFmpeg alone, fed and read by the bench; a second one, ' +
    'FFmpeg by hand through the same media server, tells the media server from the relay. All play at the same time, ' +
    'spread over the 20 ms. With SRS_BINARY also over SRS.',
  defaults: { rounds: 5, seconds: 10 },
  quick: { rounds: 2, seconds: 6 },
  isGuard: true,
  options: [
    {
      flags: '--vibes <count>',
      description: `so many vibes on air beside it, in rounds of their own (default ${LOAD_VIBES}, quick 0)`,
    },
    FFMPEGS_OPTION,
  ],
  run,
};

async function run(bench: BenchRun): Promise<void> {
  const ffmpegs = await chosenFfmpegs(bench);
  const vibes = Number(bench.options['vibes'] ?? (bench.quick ? 0 : LOAD_VIBES));
  bench.parameter('chunk ms', PACING.chunkMs);
  const hall = new Hall();
  const canary = await Canary.start();
  const rounds = new LatencyRounds(bench, canary);
  try {
    const parties: Party[] = [];
    for (const [index, ffmpeg] of ffmpegs.entries())
      parties.push(await hall.party(ffmpeg, { withDefaults: index === 0 && !bench.quick }));
    if (SRS_BINARY && !bench.quick) {
      bench.parameter('SRS', srsVersion());
      parties.push(await hall.srsParty(ffmpegs[0] as Ffmpeg));
    } else if (!SRS_BINARY)
      bench.note('SRS_BINARY names no SRS: measured with the embedded media server only');
    await rounds.play(parties, DISTURBED_MS);
    if (vibes > 0) {
      bench.parameter('vibes beside it', vibes);
      await rounds.play([await hall.loadedParty(ffmpegs[0] as Ffmpeg, vibes)], DISTURBED_UNDER_LOAD_MS);
    }
  } finally {
    await canary.stop();
    await hall.close();
  }
  for (const { name } of ffmpegs) compareWithFloor(bench, rounds, name);
  if (ffmpegs.length > 1) compareGenerations(bench, rounds, ffmpegs);
  if (vibes > 0) compareUnderLoad(bench, rounds, (ffmpegs[0] as Ffmpeg).name);
  plotDistributions(bench, rounds, ffmpegs);
}

function underLoad(way: string): string {
  return `${way}, vibes beside it`;
}

/** The daemons and servers of a run. */
class Hall {
  readonly #open: { stop(): Promise<void> }[] = [];

  /** Everything that one FFmpeg is part of. */
  async party(ffmpeg: Ffmpeg, { withDefaults }: { withDefaults: boolean }): Promise<Party> {
    const { name, path } = ffmpeg;
    const daemon = await this.#daemon({ PREBUFFER_MS: '0', FFMPEG_PATH: path });
    const ways = new Map<string, Way>([
      [`${name} ${ALONE}`, ffmpegAlone(ffmpeg)],
      [`${name} ${BY_HAND}`, ffmpegByHand(ffmpeg, daemon)],
      [`${name} ${WEBSOCKET}`, relayWebSocket(daemon)],
      [`${name} ${POST}`, relayPost(daemon)],
    ]);
    if (withDefaults)
      ways.set(`${name} ${DEFAULTS}`, relayWebSocket(await this.#daemon({ FFMPEG_PATH: path })));
    return ways;
  }

  async srsParty(ffmpeg: Ffmpeg): Promise<Party> {
    const { name, path } = ffmpeg;
    const house = await SrsHouse.open();
    this.#open.push({ stop: () => house.close() });
    const daemon = await Daemon.startWithSrs({ PREBUFFER_MS: '0', FFMPEG_PATH: path });
    this.#open.push(daemon);
    return new Map([
      [`${name} ${SRS_BY_HAND}`, ffmpegAndSrs(house, ffmpeg)],
      [`${name} ${SRS_RELAY}`, relayWebSocket(daemon)],
    ]);
  }

  /** One daemon with so many vibes on air, and beside them what is measured. */
  async loadedParty(ffmpeg: Ffmpeg, vibes: number): Promise<Party> {
    const { name, path } = ffmpeg;
    const daemon = await this.#daemon({ PREBUFFER_MS: '0', FFMPEG_PATH: path });
    const company = new OnAir(daemon, 'relay', 'twoloop');
    this.#open.push(company);
    await company.grow(vibes);
    return new Map([
      [underLoad(`${name} ${ALONE}`), ffmpegAlone(ffmpeg)],
      [underLoad(`${name} ${WEBSOCKET}`), relayWebSocket(daemon)],
      [underLoad(`${name} ${POST}`), relayPost(daemon)],
    ]);
  }

  async close(): Promise<void> {
    for (const each of this.#open.reverse()) await each.stop();
  }

  async #daemon(env: Record<string, string>): Promise<Daemon> {
    const daemon = await Daemon.start(env);
    this.#open.push(daemon);
    return daemon;
  }
}

function compareWithFloor(bench: BenchRun, rounds: LatencyRounds, ffmpeg: string): void {
  const floor = rounds.of(`${ffmpeg} ${ALONE}`);
  for (const way of [WEBSOCKET, POST]) {
    const name = `${ffmpeg} ${way}`;
    const more = (p: number): number => quantile(rounds.of(name), p) - quantile(floor, p);
    bench.compare({
      name: `${name}: p50 above the floor`,
      unit: 'ms',
      value: more(0.5),
      target: { most: 2 },
      guard: { most: 6 },
    });
    bench.compare({
      name: `${name}: p99 above the floor`,
      unit: 'ms',
      value: more(0.99),
      target: { most: 8 },
      guard: { most: 30 },
    });
  }
}

function compareGenerations(bench: BenchRun, rounds: LatencyRounds, ffmpegs: readonly Ffmpeg[]): void {
  for (const way of [WEBSOCKET, POST]) {
    for (const p of [0.5, 0.99]) {
      const each = ffmpegs.map(({ name }) => quantile(rounds.of(`${name} ${way}`), p));
      bench.compare({
        name: `${way}: p${p * 100}, from the quickest FFmpeg to the slowest`,
        unit: 'ms',
        value: Math.max(...each) - Math.min(...each),
        target: { most: 3 },
        guard: 'none',
      });
    }
  }
}

/** The floor is that of the rounds without load: what vibes beside it cost FFmpeg itself counts against the relay, too. */
function compareUnderLoad(bench: BenchRun, rounds: LatencyRounds, ffmpeg: string): void {
  const floor = quantile(rounds.of(`${ffmpeg} ${ALONE}`), 0.99);
  for (const way of [WEBSOCKET, POST])
    bench.compare({
      name: `${underLoad(`${ffmpeg} ${way}`)}: p99 above the floor`,
      unit: 'ms',
      value: quantile(rounds.of(underLoad(`${ffmpeg} ${way}`)), 0.99) - floor,
      target: { most: 40 },
      guard: 'none',
    });
}

function plotDistributions(bench: BenchRun, rounds: LatencyRounds, ffmpegs: readonly Ffmpeg[]): void {
  const first = (ffmpegs[0] as Ffmpeg).name;
  const curve = (name: string, isFloor = false) => ({ name, points: distribution(rounds.of(name)), isFloor });
  const axes = { xLabel: 'ms', yLabel: 'share of bursts' };
  const present = [ALONE, BY_HAND, WEBSOCKET, POST, DEFAULTS, SRS_BY_HAND, SRS_RELAY]
    .map((way) => `${first} ${way}`)
    .filter((name) => rounds.of(name).length > 0);
  bench.plot({
    ...axes,
    name: 'latency',
    title: 'From the hand-over of a 20 ms chunk to its audio tag',
    series: present.map((name) => curve(name, name.endsWith(ALONE))),
  });
  if (ffmpegs.length > 1)
    bench.plot({
      ...axes,
      name: 'latency-ffmpegs',
      title: 'The same with each generation of FFmpeg',
      series: ffmpegs.flatMap(({ name }) => [curve(`${name} ${ALONE}`, true), curve(`${name} ${WEBSOCKET}`)]),
    });
  const loaded = [ALONE, WEBSOCKET, POST].map((way) => underLoad(`${first} ${way}`));
  if (rounds.of(loaded[0] as string).length > 0)
    bench.plot({
      ...axes,
      name: 'latency-load',
      title: 'The same with vibes on air beside it',
      series: [curve(`${first} ${ALONE}`, true), ...loaded.map((name) => curve(name))],
    });
}
