import os from 'node:os';
import type { BenchRun } from '../lib/bench';
import { pin } from '../lib/pinned';
import { fitLine, median } from '../lib/stats';
import { startBare } from './bare';
import { Crowd } from './crowd';
import { startRelay } from './relay';
import type { FanOutServer } from './server';
import { measureTurn } from './turn';

const SERVER_CORE = 0;
const LOAD_CORE = 1;
const COUNTS = [100, 500, 1_000, 1_750, 2_500] as const;
const QUICK_COUNTS = [50, 150, 300] as const;
const TARGET = 15;

/**
 * The listeners' half of `growth`: CPU of the media server's process, alone on a core, with more and more listeners on one
 * stream, held against the straight line that fits best; and that of the bare fan-out, in turns.
 */
export async function growListeners(bench: BenchRun): Promise<void> {
  if (os.availableParallelism() < 2) return bench.note('no listeners: a server and they need a core each');
  const counts: readonly number[] = bench.quick ? QUICK_COUNTS : COUNTS;
  pin(process.pid, LOAD_CORE);
  const crowd = new Crowd(LOAD_CORE);
  const servers: FanOutServer[] = [];
  try {
    servers.push(await startRelay(SERVER_CORE), await startBare(SERVER_CORE));
    for (let round = 0; round < bench.rounds; round += 1) {
      for (const count of counts) {
        for (const server of servers) {
          const turn = await measureTurn({ server, crowd, count, seconds: bench.seconds, core: SERVER_CORE });
          bench.measure(measureName(server.name, count), '% of a core', turn.cpuMicroseconds / 1e4);
        }
        bench.progress(`${count} listeners, round ${round + 1} of ${bench.rounds}`);
      }
    }
  } finally {
    await crowd.stop();
    for (const server of servers) await server.stop();
  }
  for (const { name } of servers) judge(bench, name, counts);
  bench.plot({
    name: 'growth-listeners',
    title: 'CPU against listeners',
    xLabel: 'listeners',
    yLabel: '% of a core',
    kind: 'load',
    series: servers.map(({ name }) => ({
      name,
      points: pointsOf(bench, name, counts),
      isFloor: name === 'bare fan-out',
    })),
  });
}

function measureName(server: string, count: number): string {
  return `${server}, ${count} listeners: CPU`;
}

function pointsOf(bench: BenchRun, server: string, counts: readonly number[]): [number, number][] {
  return counts.map((count) => [count, median(bench.values(measureName(server, count)))]);
}

function judge(bench: BenchRun, server: string, counts: readonly number[]): void {
  const points = pointsOf(bench, server, counts);
  const { slope, intercept } = fitLine(points);
  const deviations = points.map(
    ([x, y]) => (100 * Math.abs(y - (intercept + slope * x))) / (intercept + slope * x),
  );
  const name = `${server}: furthest from a straight line, ${counts[0]} to ${counts.at(-1)} listeners`;
  bench.compare({ name, unit: '%', value: Math.max(...deviations), target: { most: TARGET }, guard: 'none' });
}
