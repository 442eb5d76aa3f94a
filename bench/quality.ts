import { allFfmpegs, type Ffmpeg } from './lib/ffmpegs';
import type { Bench, BenchRun } from './lib/bench';
import { median } from './lib/stats';
import { BAND_MIDDLES_HZ, BANDS } from './quality/bark';
import type { Coding } from './quality/coder';
import { cpuSecondsAnHour, liveCost } from './quality/cost';
import { Judge, type Judgement } from './quality/judge';
import { testSignals, TONE } from './quality/signals';

type Coder = 'twoloop' | 'fast';
const CODERS: readonly Coder[] = ['twoloop', 'fast'];
const KILOBITS = [96, 128, 160] as const;
/** The relay's default: everything is told of it, of the others what carries the comparison. */
const USUAL = 128;
/** Where published listening scores of both coders exist: what these measures say there shows what they are worth. */
const CHECKED_KILOBITS = 64;
const VIBES = 8;

/** What could be told to the encoder besides, at no cost. */
const FLAGS: readonly (readonly [coder: Coder, ...flags: string[]])[] = [
  ['twoloop', '-aac_tns', '0'],
  ['twoloop', '-aac_pns', '0'],
  ['twoloop', '-aac_is', '0'],
  ['twoloop', '-aac_ms', '0'],
  ['twoloop', '-aac_ms', '1'],
  ['twoloop', '-cutoff', '18000'],
  ['twoloop', '-cutoff', '20000'],
  ['fast', '-aac_ms', '0'],
  ['fast', '-aac_is', '0'],
];

interface Figure {
  readonly name: string;
  readonly unit: string;
  readonly of: (judgement: Judgement) => number;
}

/** The figures that are told at every bit rate, and those told at the usual one only. */
const MAIN: readonly Figure[] = [
  { name: 'similarity', unit: '% (NSIM)', of: ({ similarity }) => similarity * 100 },
  { name: 'noise to mask', unit: 'dB', of: ({ nmrDb }) => nmrDb },
  { name: 'spectral distance', unit: 'dB', of: ({ spectralDistanceDb }) => spectralDistanceDb },
  { name: 'SNR', unit: 'dB', of: ({ snrDb }) => snrDb },
];
const MORE: readonly Figure[] = [
  { name: 'windows with noise above the mask', unit: '%', of: ({ disturbed }) => disturbed * 100 },
  { name: 'pre-echo under the attack', unit: 'dB', of: ({ preEchoDb }) => preEchoDb },
  { name: 'stereo error', unit: 'dB', of: ({ stereoErrorDb }) => stereoErrorDb },
  { name: 'bandwidth', unit: 'kHz', of: ({ bandwidthHz }) => bandwidthHz / 1000 },
  { name: 'bit rate', unit: 'kbit/s', of: ({ kilobits }) => kilobits },
  { name: 'bit rate in the fullest second', unit: 'kbit/s', of: ({ mostKilobits }) => mostKilobits },
];

export const quality: Bench = {
  name: 'quality',
  summary: 'how FFmpeg’s AAC coders `twoloop` and `fast` sound and what they cost, by ear-related measures',
  description:
    'Eleven signals, made here, are encoded with both coders, decoded, aligned to the sample and compared with what they ' +
    'were: SNR and level of each critical band, noise against a masking threshold (after ISO/IEC 13818-7), likeness of the ' +
    'spectrograms (NSIM), pre-echo, side against middle. Each value is one signal; the sound is the same in every run. ' +
    'The floor of a difference is `twoloop` at 320 kbit/s. CPU: FFmpeg’s own account of an hour of audio, and two ' +
    'relays on air at the same time. These are models of hearing and not ears.',
  defaults: { rounds: 5, seconds: 8 },
  quick: { rounds: 1, seconds: 4 },
  isGuard: false,
  run,
};

async function run(bench: BenchRun): Promise<void> {
  const signals = testSignals(bench.seconds);
  const [ffmpeg, ...others] = (await allFfmpegs()) as [Ffmpeg, ...Ffmpeg[]];
  const judge = new Judge(ffmpeg.path, signals);
  const ask = async (told: Partial<Coding> = {}): Promise<Judgement[]> =>
    judge.judge({ ffmpeg: ffmpeg.path, coder: 'twoloop', kilobits: USUAL, ...told });
  checkIdentity(judge.identity());

  const note = (label: string, judgements: readonly Judgement[], figures: readonly Figure[]): void => {
    for (const { name, unit, of } of figures)
      for (const value of judgements.map(of).filter(Number.isFinite))
        bench.measure(`${name}, ${label}`, unit, value);
  };
  const usual = {} as Record<Coder, readonly Judgement[]>;
  for (const kilobits of KILOBITS)
    for (const coder of CODERS) {
      const judgements = await ask({ coder, kilobits });
      bench.progress(`${coder} at ${kilobits} kbit/s`);
      if (kilobits === USUAL) usual[coder] = judgements;
      note(`${coder} ${kilobits}k`, judgements, kilobits === USUAL ? [...MAIN, ...MORE] : MAIN);
    }
  note('twoloop 320k', await ask({ kilobits: 320 }), MAIN);
  for (const coder of CODERS)
    note(`${coder} ${CHECKED_KILOBITS}k`, await ask({ coder, kilobits: CHECKED_KILOBITS }), MAIN.slice(0, 2));

  judgeDefault(bench, usual);
  plotBands(bench, usual);
  plotRates(bench);
  if (!bench.quick) await compareFlags(bench, usual, ask);
  await compareGenerations(bench, others, usual, ask);
  bench.note(
    `each value of a measure is a signal: ${signals.map(({ name }) => name).join(', ')} (pre-echo is that of drums and ` +
      'castanets, bandwidth that of applause); what was decoded is ' +
      `${judge.delays.join(' or ')} samples late, and was moved back by as many`,
  );
  await measureCost(bench, ffmpeg.path, Buffer.concat(signals.map(({ pcm }) => pcm)));
}

/** A ruler that finds a difference where there is none must not measure. */
function checkIdentity(judgements: readonly Judgement[]): void {
  const wrong = judgements.filter(({ nmrDb, spectralDistanceDb }) => nmrDb > -60 || spectralDistanceDb > 0);
  if (wrong.length > 0)
    throw new Error(`differs from itself: ${wrong.map(({ signal }) => signal).join(', ')}`);
}

/** What must hold of the coder that is the default, and how the other one does. */
function judgeDefault(bench: BenchRun, usual: Readonly<Record<Coder, readonly Judgement[]>>): void {
  const fullest = (coder: Coder): number =>
    Math.max(...usual[coder].map(({ mostKilobits }) => mostKilobits)) / USUAL;
  bench.compare({
    name: `a loud steady tone, twoloop ${USUAL}k`,
    unit: 'dB SNR',
    value: toneSnrDb(usual.twoloop),
    target: { least: 20 },
    guard: 'none',
  });
  bench.compare({
    name: `the fullest second of any signal, twoloop ${USUAL}k`,
    unit: '× the bit rate',
    value: fullest('twoloop'),
    target: { most: 1.35 },
    guard: 'none',
  });
  bench.note(
    `why \`fast\` is not the default: a loud steady tone comes back with ${toneSnrDb(usual.fast).toFixed(1)} dB SNR ` +
      `(\`twoloop\` ${toneSnrDb(usual.twoloop).toFixed(1)}), and the fullest second of any signal takes ` +
      `${fullest('fast').toFixed(2)} × the bit rate (\`twoloop\` ${fullest('twoloop').toFixed(2)})`,
  );
}

function plotBands(bench: BenchRun, usual: Readonly<Record<Coder, readonly Judgement[]>>): void {
  bench.plot({
    name: 'quality-bands',
    title: `Signal to noise by critical band at ${USUAL} kbit/s, median of the signals`,
    xLabel: 'Hz',
    yLabel: 'dB',
    kind: 'load',
    xScale: 'logarithmic',
    series: CODERS.map((coder) => ({
      name: coder,
      points: Array.from({ length: BANDS }, (_, band): [number, number] => [
        BAND_MIDDLES_HZ[band] as number,
        median(usual[coder].map(({ snrByBand }) => snrByBand[band] as number).filter(Number.isFinite)),
      ]),
    })),
  });
}

function plotRates(bench: BenchRun): void {
  bench.plot({
    name: 'quality-rates',
    title: 'Noise to mask by bit rate, mean of the signals (lower is better)',
    xLabel: 'kbit/s',
    yLabel: 'dB',
    kind: 'load',
    series: CODERS.map((coder) => ({
      name: coder,
      points: [CHECKED_KILOBITS, ...KILOBITS].map((kilobits): [number, number] => [
        kilobits,
        mean(bench.values(`noise to mask, ${coder} ${kilobits}k`)),
      ]),
    })),
  });
}

async function compareFlags(
  bench: BenchRun,
  usual: Readonly<Record<Coder, readonly Judgement[]>>,
  ask: (told: Partial<Coding>) => Promise<Judgement[]>,
): Promise<void> {
  const told: string[] = [];
  for (const [coder, ...flags] of FLAGS) {
    const judgements = await ask({ coder, flags });
    const changes = MAIN.map(({ name, unit, of }) => {
      const change = mean(judgements.map(of)) - mean(usual[coder].map(of));
      return `${name} ${signed(change)} ${unit}`;
    });
    const tone = toneSnrDb(judgements).toFixed(1);
    told.push(`${coder} \`${flags.join(' ')}\`: ${changes.join(', ')}, the loud tone at ${tone} dB`);
    bench.progress(told.at(-1) as string);
  }
  bench.note(`what flags change at ${USUAL} kbit/s, mean of the signals: ${told.join('; ')}`);
}

async function compareGenerations(
  bench: BenchRun,
  others: readonly Ffmpeg[],
  usual: Readonly<Record<Coder, readonly Judgement[]>>,
  ask: (told: Partial<Coding>) => Promise<Judgement[]>,
): Promise<void> {
  for (const { path, name } of others) {
    const told: string[] = [];
    for (const coder of CODERS) {
      const judgements = await ask({ ffmpeg: path, coder });
      const changes = MAIN.map(({ name: figure, unit, of }) => {
        const most = Math.max(
          ...judgements.map((one, at) => Math.abs(of(one) - of(usual[coder][at] as Judgement))),
        );
        return `${figure} ${signed(mean(judgements.map(of)) - mean(usual[coder].map(of)))} (at most ${most.toFixed(1)}) ${unit}`;
      });
      told.push(`${coder} ${changes.join(', ')}`);
    }
    bench.note(`${name} beside it at ${USUAL} kbit/s, mean of the signals: ${told.join('; ')}`);
  }
}

async function measureCost(bench: BenchRun, ffmpeg: string, pcm: Buffer): Promise<void> {
  const hour = (coder: Coder, kilobits: number): string => `an hour of audio, ${coder} ${kilobits}k`;
  for (let round = 0; round < bench.rounds; round += 1) {
    for (const kilobits of KILOBITS)
      for (const coder of CODERS)
        bench.measure(
          hour(coder, kilobits),
          's of CPU',
          await cpuSecondsAnHour(ffmpeg, pcm, { coder, kilobits }),
        );
    bench.progress(`CPU, round ${round + 1} of ${bench.rounds}`);
  }
  const live = await liveCost({ vibes: bench.quick ? 2 : VIBES, seconds: bench.quick ? 4 : 20 });
  bench.parameter('vibes a coder', bench.quick ? 2 : VIBES);
  for (const coder of CODERS)
    bench.measure(`a vibe’s FFmpeg on air, ${coder} ${USUAL}k`, '% of a core', live[coder]);
  bench.note(
    `\`fast\` takes ${share(median(bench.values(hour('fast', USUAL))) / median(bench.values(hour('twoloop', USUAL))))} of the CPU ` +
      `of \`twoloop\` where an hour is encoded at once, and ${share(live.fast / live.twoloop)} on air, where each FFmpeg ` +
      'also wakes up fifty times a second, reads, and writes RTMP',
  );
}

function toneSnrDb(judgements: readonly Judgement[]): number {
  return judgements.find(({ signal }) => signal === TONE)?.snrDb ?? NaN;
}

function mean(values: readonly number[]): number {
  const finite = values.filter(Number.isFinite);
  return finite.reduce((sum, value) => sum + value, 0) / finite.length;
}

function signed(value: number): string {
  return `${value < 0 ? '−' : '+'}${Math.abs(value).toFixed(2)}`;
}

function share(ratio: number): string {
  return `${Math.round(ratio * 100)} %`;
}
