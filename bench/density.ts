import { Daemon } from '../tests/helpers/daemon';
import { arrivalGaps, FlvListener, timestampFault } from '../tests/helpers/flv-listener';
import { quantile } from '../tests/helpers/quantile';
import type { Bench, BenchRun } from './lib/bench';
import { barePumpCores } from './on-air/bare-pump';
import { type Feeder, OnAir, type Stretch } from './on-air/on-air';
import { distribution, median } from './lib/stats';

type Coder = 'twoloop' | 'fast';

/** What two cores have to hold, by AAC coder. */
const WANTED: Readonly<Record<Coder, number>> = { twoloop: 80, fast: 120 };
/** Enough for ratios, and little enough for a machine that does other things as well. */
const QUICK_VIBES = 12;
/** Vibes that are listened to while they are on air. */
const LISTENED = 4;
const TICK_P99_MS = 20;
/** A frame that is due every 21 ms may not be waited for as long as this: players have a second and more. */
const GAP_MS = 500;

export const density: Bench = {
  name: 'density',
  summary: 'vibes on air at once, and what they cost beside hand-fed FFmpegs',
  description:
    'Vibes on air at 128 kbit/s with the embedded media server, creators in a process of their own (one WebSocket each, ' +
    '20 ms chunks, phases spread). Held are they when no buffer ran empty but for a late creator, ticks came in time, every ' +
    'FFmpeg lived, the media server got every stream at real-time rate, and the listeners of four of them missed nothing. ' +
    'The floor, in turns with the relay: as many FFmpegs, fed by one process that does nothing else, into the same server. The daemon’s ' +
    'own floor is a Node process that writes what the same creators send into as many pipes, and does not even look at it.',
  defaults: { rounds: 1, seconds: 60 },
  quick: { rounds: 1, seconds: 6 },
  options: [
    { flags: '--coder <name>', description: 'AAC coder: twoloop or fast (both, unless told)' },
    { flags: '--vibes <count>', description: 'how many with twoloop (default 80, quick 12)' },
    { flags: '--fast-vibes <count>', description: 'how many with fast (default 120)' },
  ],
  isGuard: true,
  run,
};

async function run(bench: BenchRun): Promise<void> {
  const told = bench.options['coder'];
  const both: readonly Coder[] = bench.quick ? ['twoloop'] : ['twoloop', 'fast'];
  for (const coder of told === undefined ? both : [told as Coder]) await runCoder(bench, coder);
}

async function runCoder(bench: BenchRun, coder: Coder): Promise<void> {
  const toldVibes = bench.options[coder === 'fast' ? 'fastVibes' : 'vibes'];
  const vibes = Number(toldVibes ?? (bench.quick ? QUICK_VIBES : WANTED[coder]));
  bench.parameter(`vibes (${coder})`, vibes);
  const daemon = await Daemon.start({ AAC_CODER: coder, LOG_LEVEL: 'warn' });
  let held = vibes;
  const gaps: number[] = [];
  try {
    for (let round = 0; round < bench.rounds; round += 1) {
      // In turns, and who begins changes: what warms up or wears out hits both.
      const turns: Feeder[] = round % 2 === 0 ? ['by hand', 'relay'] : ['relay', 'by hand'];
      for (const feeder of turns) {
        bench.progress(`${coder}: round ${round + 1} of ${bench.rounds}, ${vibes} streams, ${feeder}`);
        const stretch = await onAir(daemon, { feeder, coder, vibes, seconds: bench.seconds, gaps });
        note(bench, coder, feeder, stretch, vibes);
        if (feeder === 'relay' && stretch.faults.length > 0) held = 0;
      }
      if (coder === 'twoloop') bench.measure('bare pump', 'cores', await barePumpCores(vibes, bench.seconds));
    }
  } finally {
    await daemon.stop();
  }
  bench.measure(`gap between tags at listeners, p99 (${coder})`, 'ms', quantile(gaps, 0.99));
  compare(bench, coder, held);
  bench.plot({
    name: `density-gaps-${coder}`,
    title: `Time between audio tags at listeners, ${vibes} vibes on air (${coder})`,
    xLabel: 'ms',
    yLabel: 'share of tags',
    series: [{ name: 'relay', points: distribution(gaps) }],
  });
}

/** As many streams on air as told, for so long; with what speaks against it. */
async function onAir(
  daemon: Daemon,
  told: { feeder: Feeder; coder: Coder; vibes: number; seconds: number; gaps: number[] },
): Promise<Stretch & { faults: string[] }> {
  const streams = new OnAir(daemon, told.feeder, told.coder);
  try {
    await streams.grow(told.vibes);
    const heard = streams.names.slice(0, told.feeder === 'relay' ? LISTENED : 0);
    const listeners = await Promise.all(heard.map((name) => FlvListener.connect(daemon.flvUrl(name))));
    const stretch = await streams.watch(told.seconds);
    const faults = listeners.flatMap((listener) => listenerFaults(listener, told.seconds));
    for (const listener of listeners) {
      told.gaps.push(...arrivalGaps(listener.frames).map(({ gapMs }) => gapMs));
      listener.leave();
    }
    return { ...stretch, faults: [...relayFaults(stretch), ...faults] };
  } finally {
    await streams.stop();
  }
}

function relayFaults(stretch: Stretch): string[] {
  const { underruns, tickP99Ms, bufferedSeconds, behind, load } = stretch;
  // A creator that was late is the cause of one underrun at most.
  const ours = Math.max(0, underruns - load.lateness.tardy);
  return [
    ...(ours > 0 ? [`${ours} underruns that no creator caused`] : []),
    ...(tickP99Ms > TICK_P99_MS ? [`ticks were ${tickP99Ms.toFixed(1)} ms late (p99)`] : []),
    ...(bufferedSeconds > 1 ? [`${bufferedSeconds.toFixed(1)} s lay in a buffer`] : []),
    ...(behind > 0 ? [`${behind} streams fell behind real time`] : []),
    ...load.faults,
  ];
}

function listenerFaults({ frames, isConnected }: FlvListener, seconds: number): string[] {
  const backwards = timestampFault(frames);
  const spanMs = (frames.at(-1)?.timestampMs ?? 0) - (frames[0]?.timestampMs ?? 0);
  const longestMs = Math.max(0, ...arrivalGaps(frames).map(({ gapMs }) => gapMs));
  return [
    ...(isConnected ? [] : ['a listener was cut off']),
    ...(backwards === undefined ? [] : [`a listener: ${backwards}`]),
    ...(longestMs > GAP_MS ? [`a listener waited ${longestMs.toFixed(0)} ms`] : []),
    ...(spanMs < (seconds - 1) * 1000 ? [`a listener heard ${spanMs} ms of ${seconds} s`] : []),
  ];
}

function note(
  bench: BenchRun,
  coder: Coder,
  feeder: Feeder,
  stretch: Stretch & { faults: string[] },
  vibes: number,
): void {
  const { cores, idle, stolen, load } = stretch;
  const who = `${feeder}, ${coder}`;
  bench.measure(`FFmpegs (${who})`, 'cores', cores.ffmpegs);
  bench.measure(`one FFmpeg (${who})`, '% of a core', (cores.ffmpegs / vibes) * 100);
  bench.measure(`media server (${who})`, 'cores', cores.mediaServer);
  bench.measure(`load (${who})`, 'cores', cores.load);
  bench.measure(`machine idle (${who})`, '%', idle * 100);
  if (stolen > 0.01) bench.note(`${who}: the host took ${(stolen * 100).toFixed(1)} % of the machine`);
  if (load.lateness.tardy > 0)
    bench.note(
      `${who}: ${load.lateness.tardy} of ${load.lateness.beats} chunks were sent late, ` +
        `${load.lateness.worstMs.toFixed(0)} ms at worst`,
    );
  if (feeder === 'by hand') return;
  bench.measure(`daemon (${coder})`, 'cores', cores.daemon);
  bench.measure(`ticks late, p99 (${coder})`, 'ms', stretch.tickP99Ms);
  bench.measure(`underruns (${coder})`, 'in all', stretch.underruns);
  // Among the other work of a machine that only wants ratios, there is nothing to hold.
  if (bench.quick) return;
  for (const fault of stretch.faults) bench.note(`${vibes} vibes with ${coder} were not held: ${fault}`);
}

function compare(bench: BenchRun, coder: Coder, held: number): void {
  const of = (name: string): number => median(bench.values(name));
  const ffmpegs = of(`FFmpegs (relay, ${coder})`);
  if (!bench.quick)
    bench.compare({
      name: `held, ${coder}`,
      unit: 'vibes',
      value: held,
      target: { least: WANTED[coder] },
      guard: 'none',
    });
  const daemonShare = (of(`daemon (${coder})`) / ffmpegs) * 100;
  // The target speaks of the default coder: with the other one FFmpegs take half, and the daemon what it always takes.
  if (coder === 'fast') bench.measure('the daemon’s CPU, fast', '% of its FFmpegs’', daemonShare);
  else {
    const pump = of('bare pump');
    bench.measure('a bare pump’s CPU', '% of the FFmpegs’', (pump / ffmpegs) * 100);
    bench.measure('the daemon’s CPU', '× a bare pump', of('daemon (twoloop)') / pump);
    bench.compare({
      name: 'the daemon’s CPU',
      unit: '% of its FFmpegs’',
      value: daemonShare,
      target: { most: 8 },
      guard: { most: 30 },
    });
  }
  bench.compare({
    name: `CPU of all FFmpegs, ${coder}`,
    unit: '× hand-fed ones',
    value: ffmpegs / of(`FFmpegs (by hand, ${coder})`),
    target: { most: 1.05 },
    guard: { most: 1.25 },
  });
}
