import { Daemon } from '../../tests/helpers/daemon';
import type { BenchRun } from '../lib/bench';
import { type Feeder, OnAir } from './on-air';
import { median } from '../lib/stats';

const COUNTS = [10, 20, 40, 80];
const QUICK_COUNTS = [4, 8, 16];
const FEEDERS: readonly Feeder[] = ['by hand', 'relay'];

/** The vibes' half of `growth`. */
export async function growVibes(bench: BenchRun): Promise<void> {
  const counts = bench.quick ? QUICK_COUNTS : COUNTS;
  const daemon = await Daemon.start({ LOG_LEVEL: 'warn' });
  try {
    for (let round = 0; round < bench.rounds; round += 1) {
      for (const feeder of FEEDERS) {
        const streams = new OnAir(daemon, feeder, 'twoloop');
        try {
          for (const count of counts) {
            bench.progress(`round ${round + 1} of ${bench.rounds}: ${count} streams, ${feeder}`);
            await streams.grow(count);
            const { cores } = await streams.watch(bench.seconds);
            const daemonCores = feeder === 'relay' ? cores.daemon : 0;
            const all = daemonCores + cores.ffmpegs + cores.mediaServer;
            bench.measure(costName(feeder, count), '% of a core', (all / count) * 100);
            bench.measure(`FFmpegs, ${feeder}, ${count} streams`, 'cores', cores.ffmpegs);
            bench.measure(`media server, ${feeder}, ${count} streams`, 'cores', cores.mediaServer);
            if (feeder === 'relay') bench.measure(`daemon, ${count} streams`, 'cores', cores.daemon);
          }
        } finally {
          await streams.stop();
        }
      }
    }
  } finally {
    await daemon.stop();
  }
  for (const feeder of FEEDERS) compare(bench, feeder, counts);
  const line = (name: (count: number) => string): [number, number][] =>
    counts.map((count) => [count, median(bench.values(name(count)))]);
  bench.plot({
    name: 'growth-vibes',
    title: 'CPU against vibes on air',
    xLabel: 'vibes',
    yLabel: 'cores',
    series: [
      { name: 'all', points: counts.map((count) => [count, (cost(bench, 'relay', count) * count) / 100]) },
      { name: 'FFmpegs', points: line((count) => `FFmpegs, relay, ${count} streams`) },
      { name: 'daemon', points: line((count) => `daemon, ${count} streams`) },
      { name: 'media server', points: line((count) => `media server, relay, ${count} streams`) },
      {
        name: 'FFmpegs fed by hand',
        points: line((count) => `FFmpegs, by hand, ${count} streams`),
        isFloor: true,
      },
    ],
  });
}

function compare(bench: BenchRun, feeder: Feeder, counts: readonly number[]): void {
  const costs = counts.map((count) => cost(bench, feeder, count));
  const mean = costs.reduce((sum, each) => sum + each, 0) / costs.length;
  const worst = Math.max(...costs.map((each) => Math.abs(each / mean - 1)));
  bench.measure(`from linear at most, ${feeder}`, '%', worst * 100);
  if (feeder === 'by hand') return;
  bench.compare({
    name: `cost of a vibe, ${counts[0]} to ${counts.at(-1)} of them`,
    unit: '% from linear',
    value: worst * 100,
    target: { most: 15 },
    guard: { most: 40 },
  });
}

/** Of one stream, in % of a core. */
function cost(bench: BenchRun, feeder: Feeder, count: number): number {
  return median(bench.values(costName(feeder, count)));
}

function costName(feeder: Feeder, count: number): string {
  return `one of ${count} streams, ${feeder}`;
}
