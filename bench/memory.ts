import { Daemon } from '../tests/helpers/daemon';
import { delay } from '../tests/helpers/eventually';
import type { Bench, BenchRun } from './lib/bench';
import { OnAir } from './on-air/on-air';
import { fitLine, median } from './lib/stats';

const COUNTS = [10, 40, 80];
const QUICK_COUNTS = [4, 12];
const MEGABYTE = 1e6;

export const memory: Bench = {
  name: 'memory',
  summary: 'memory of a vibe: daemon, FFmpeg and media server',
  description:
    'Memory (PSS, what processes share counted once) of daemon, FFmpegs and media server with 10, 40 and 80 vibes on air, ' +
    'divided by the vibes. The slope of the line through these points is what one more vibe takes, its beginning what the ' +
    'relay takes with none. The floor: the same FFmpegs, fed by hand into the same media server.',
  defaults: { rounds: 1, seconds: 10 },
  quick: { rounds: 1, seconds: 4 },
  isGuard: true,
  run,
};

type Point = [vibes: number, megabytes: number];

async function run(bench: BenchRun): Promise<void> {
  const counts = bench.quick ? QUICK_COUNTS : COUNTS;
  const most = counts.at(-1) as number;
  const all: Point[] = [];
  const floor: Point[] = [];
  for (let round = 0; round < bench.rounds; round += 1) {
    const daemon = await Daemon.start({ LOG_LEVEL: 'warn' });
    try {
      for (const feeder of ['by hand', 'relay'] as const) {
        const streams = new OnAir(daemon, feeder, 'twoloop');
        try {
          for (const count of counts) {
            await streams.grow(count);
            await delay(bench.seconds * 1000);
            const bytes = streams.memory();
            bench.progress(`round ${round + 1} of ${bench.rounds}: ${count} streams, ${feeder}`);
            const ffmpegMb = bytes.ffmpegs / MEGABYTE;
            bench.measure(`one FFmpeg, ${feeder}, at ${count}`, 'MB', ffmpegMb / count);
            if (feeder === 'by hand') {
              floor.push([count, ffmpegMb]);
              continue;
            }
            const mb = (bytes.daemon + bytes.ffmpegs + bytes.mediaServer) / MEGABYTE;
            all.push([count, mb]);
            bench.measure(`daemon, at ${count}`, 'MB', bytes.daemon / MEGABYTE);
            bench.measure(`media server, at ${count}`, 'MB', bytes.mediaServer / MEGABYTE);
            bench.measure(perVibe(count), 'MB', mb / count);
          }
        } finally {
          await streams.stop();
        }
      }
    } finally {
      await daemon.stop();
    }
  }
  const { slope, intercept } = fitLine(all);
  bench.measure('each further vibe', 'MB', slope);
  bench.measure('with none', 'MB', intercept);
  bench.compare({
    name: bench.quick ? 'each further vibe' : perVibe(most),
    unit: 'MB',
    // A dozen vibes share what the relay takes for itself among too few: there the slope speaks.
    value: bench.quick ? slope : median(bench.values(perVibe(most))),
    target: { most: 16 },
    guard: { most: 20 },
  });
  bench.compare({
    name: 'one FFmpeg',
    unit: '× hand-fed',
    value:
      median(bench.values(`one FFmpeg, relay, at ${most}`)) /
      median(bench.values(`one FFmpeg, by hand, at ${most}`)),
    target: { most: 1.05 },
    guard: { most: 1.2 },
  });
  bench.plot({
    name: 'memory',
    title: 'Memory against vibes on air',
    xLabel: 'vibes',
    yLabel: 'MB (PSS)',
    series: [
      { name: 'daemon, FFmpegs and media server', points: all },
      { name: 'FFmpegs fed by hand', points: floor, isFloor: true },
    ],
  });
}

function perVibe(count: number): string {
  return `per vibe, at ${count}`;
}
