import { performance } from 'node:perf_hooks';
import { Canary } from '../tests/helpers/canary';
import { Daemon } from '../tests/helpers/daemon';
import { delay } from '../tests/helpers/eventually';
import { FlvListener } from '../tests/helpers/flv-listener';
import { seededRandom } from '../tests/helpers/music';
import { quantile } from '../tests/helpers/quantile';
import { AskedProcess } from './lib/asked-process';
import type { Bench, BenchRun } from './lib/bench';
import type { JoinPlay } from './lib/join-messages';
import { distribution } from './lib/stats';

const BY_HAND = 'FFmpeg by hand, 20 ms chunks';
const VIBES = [
  { name: 'relay, 20 ms WebSocket messages', vibeId: 'join-20', door: 'websocket', chunkMs: 20 },
  { name: 'relay, 500 ms POSTs', vibeId: 'join-500', door: 'posts', chunkMs: 500 },
  { name: 'relay, 2 s JSON', vibeId: 'join-2000', door: 'json', chunkMs: 2_000 },
] as const;
const HAND_ID = 'join-hand';
/** Somebody joins anew after up to so long, evenly distributed: at any phase of any chunk's way. */
const PAUSE_MS = 60;
/** The first chunks of 2 s take a while to come: from then on, all are on air steadily. */
const SETTLES_MS = 8_000;
/** A join during which the machine stood still for so long says nothing about the relay. */
const DISTURBED_MS = 10;
const ENOUGH = 200;

export const join: Bench = {
  name: 'join',
  summary: 'from a listener’s request to its first audio tag, while the vibe is live',
  description:
    'Listeners come to live vibes at random moments, one after the other, over connections of their own: from the call that ' +
    'connects to the first audio tag. Vibes are fed 20 ms WebSocket messages, 500 ms POSTs and 2 s of base64 in JSON, with ' +
    'default settings, by a process of its own. The floor is a listener of FFmpeg by hand at the same media server.',
  defaults: { rounds: 5, seconds: 15 },
  quick: { rounds: 2, seconds: 8 },
  isGuard: true,
  run,
};

async function run(bench: BenchRun): Promise<void> {
  const daemon = await Daemon.start();
  const creators = AskedProcess.start<JoinPlay, string>('load/join-creators');
  const canary = await Canary.start();
  try {
    await creators.ask({
      apiUrl: daemon.apiUrl,
      byHandUrl: `rtmp://127.0.0.1:${daemon.rtmpPort}/live/${HAND_ID}`,
      seconds: bench.rounds * (bench.seconds + 2) + SETTLES_MS / 1000 + 20,
      vibes: VIBES,
    });
    await delay(SETTLES_MS);
    await joinAll(bench, daemon, canary);
  } finally {
    await canary.stop();
    await creators.stop();
    for (const { vibeId } of VIBES) await daemon.endVibe(vibeId, { drain: false });
    await daemon.stop();
  }
}

interface Joined {
  readonly name: string;
  readonly fromMs: number;
  readonly tookMs: number;
}

async function joinAll(bench: BenchRun, daemon: Daemon, canary: Canary): Promise<void> {
  const ways = [{ name: BY_HAND, vibeId: HAND_ID }, ...VIBES];
  const random = seededRandom(4);
  const all = new Map<string, number[]>(ways.map(({ name }) => [name, []]));
  let leftOut = 0;
  for (let round = 0; round < bench.rounds; round += 1) {
    const joined: Joined[] = [];
    const untilMs = performance.now() + bench.seconds * 1000;
    while (performance.now() < untilMs) {
      for (const { name, vibeId } of ways) {
        await delay(random() * PAUSE_MS);
        const fromMs = performance.now();
        joined.push({ name, fromMs, tookMs: await joinOnce(daemon.flvUrl(vibeId), fromMs) });
      }
    }
    await canary.look();
    const quiet = joined.filter(
      ({ fromMs, tookMs }) => canary.worstStallMs(fromMs, fromMs + tookMs) < DISTURBED_MS,
    );
    leftOut += joined.length - quiet.length;
    for (const { name } of ways) {
      const each = quiet.filter((one) => one.name === name).map(({ tookMs }) => tookMs);
      all.get(name)?.push(...each);
      bench.measure(`${name}, p50`, 'ms', quantile(each, 0.5));
      bench.measure(`${name}, p99`, 'ms', quantile(each, 0.99));
    }
    bench.progress(`round ${round + 1} of ${bench.rounds}: ${quiet.length} joins`);
  }
  bench.parameter('joins each', Math.min(...[...all.values()].map((each) => each.length)));
  if (leftOut > 0)
    bench.note(
      `${leftOut} joins were left out: the machine stood still for ${DISTURBED_MS} ms or more meanwhile`,
    );
  for (const { name } of VIBES) {
    const each = all.get(name) ?? [];
    const isEnough = each.length >= (bench.quick ? ENOUGH / 5 : ENOUGH);
    bench.compare({
      name: `${name}: p99`,
      unit: 'ms',
      value: isEnough ? quantile(each, 0.99) : NaN,
      target: { most: 40 },
      guard: { most: 120 },
    });
  }
  bench.plot({
    name: 'join',
    title: 'From a listener’s request to its first audio tag',
    xLabel: 'ms',
    yLabel: 'share of joins',
    series: ways.map(({ name }) => ({
      name,
      points: distribution(all.get(name) ?? []),
      isFloor: name === BY_HAND,
    })),
  });
}

async function joinOnce(url: string, fromMs: number): Promise<number> {
  const listener = await FlvListener.connect(url);
  await listener.until('its first audio tag', () => listener.frames.length > 0);
  listener.leave();
  return (listener.frames[0]?.atMs ?? NaN) - fromMs;
}
