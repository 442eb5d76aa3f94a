import { music, seededRandom } from '../../tests/helpers/music';
import { RATE } from './spectrum';
import { bandPass, Canvas, harmonics, noise, type Partial, pluck, shaped, sound } from './synth';

/** A test signal: made here, the same on every machine. */
export interface Signal {
  readonly name: string;
  /** What it is there for. */
  readonly purpose: string;
  /** s16le stereo at 48 kHz. */
  readonly pcm: Buffer;
  /** First samples of its attacks, where those stand in quiet: what pre-echo is measured at. */
  readonly attacks: readonly number[];
}

type Painter = (seconds: number) => Pick<Signal, 'pcm'> & Partially;
interface Partially {
  readonly attacks?: readonly number[];
}

/** Bars a twentieth of a second long would beat with AAC frames; this tempo does not. */
const BEAT_SECONDS = 0.479;
const NOTES = [0, 7, 3, 10, 5, 12, 8, 2] as const;
const PAD = [0, 3, 7, 10, 14] as const;

/** The signal that has energy at all frequencies, all the time. */
export const NOISE = 'applause';
/** The signal that shows best what a coder adds. */
export const TONE = 'tone';

const PAINTERS: readonly [name: string, purpose: string, paint: Painter][] = [
  [
    'chords',
    'plucked chords over a breath of noise, moving in the stereo picture',
    (seconds) => ({ pcm: music(seconds, 3) }),
  ],
  ['dense mix', 'bass, a pad of many saws, kick, hats and noise at once, little headroom', denseMix],
  ['drums', 'kick, snare and hats with pauses between them', drums],
  ['castanets', 'dry clicks over a soft tone: pre-echo', castanets],
  ['harpsichord', 'many sharp partials that ring on: little masks the noise between them', harpsichord],
  ['voice', 'a voice alone: a gliding fundamental, formants, consonants, breath', voice],
  [NOISE, 'hundreds of claps from all around: noise, wide, never steady', applause],
  ['wide', 'different music left and right, and a part in opposite phase', wide],
  ['quiet', 'the chords 50 dB down, dying away', quiet],
  [TONE, 'a loud, steady sine of 440 Hz: any warbling of the coder shows', tone],
  ['sweep', 'one sine from 40 Hz to 18 kHz, wandering from left to right', sweep],
];

/** All test signals. @param seconds length of each */
export function testSignals(seconds: number): Signal[] {
  return PAINTERS.map(([name, purpose, paint]) => ({ name, purpose, attacks: [], ...paint(seconds) }));
}

/** Samples at which something begins, `every` seconds, from `first` on, a little uneven so that no grid of frames fits. */
function beats(seconds: number, every: number, first = 0.3): number[] {
  const random = seededRandom(17);
  const count = Math.max(0, Math.floor((seconds - first - 0.3) / every));
  return Array.from({ length: count }, (_, index) =>
    Math.round((first + index * every + random() * 0.017) * RATE),
  );
}

function kick(): Float64Array {
  return sound(
    0.35,
    (time) => Math.exp(-9 * time) * Math.sin(2 * Math.PI * (48 * time + 6 * (1 - Math.exp(-30 * time)))),
  );
}

function hat(seed: number): Float64Array {
  return shaped(bandPass(noise(0.09, seed), 9_000, 7_000), (time) => Math.exp(-60 * time));
}

function snare(seed: number): Float64Array {
  const rattle = shaped(bandPass(noise(0.25, seed), 3_200, 5_000), (time) => Math.exp(-18 * time));
  return rattle.map(
    (value, at) => value + 0.6 * Math.exp((-25 * at) / RATE) * Math.sin((2 * Math.PI * 190 * at) / RATE),
  );
}

function denseMix(seconds: number): { pcm: Buffer } {
  const canvas = new Canvas(seconds);
  const random = seededRandom(5);
  const bar = 8 * BEAT_SECONDS;
  for (let start = 0, index = 0; start < seconds; start += bar, index += 1) {
    const root = 55 * 2 ** ((NOTES[index % NOTES.length] as number) / 12);
    for (const semitones of PAD)
      for (let voice = 0; voice < 3; voice += 1) {
        const hertz = root * 4 * 2 ** (semitones / 12) * (1 + (random() - 0.5) * 0.008);
        const phase = random();
        const saw = sound(Math.min(bar, seconds - start), (time) => 2 * ((hertz * time + phase) % 1) - 1);
        canvas.add(saw, { at: Math.round(start * RATE), level: 0.05, pan: random() });
      }
    for (let beat = 0; beat < 16; beat += 1) {
      const note = pluck(root * (beat % 3 === 2 ? 2 : 1), {
        seconds: 0.4,
        decayPerSecond: 3,
        partials: harmonics(18),
      });
      canvas.add(note, { at: Math.round((start + (beat * BEAT_SECONDS) / 2) * RATE), level: 0.35 });
    }
  }
  for (const at of beats(seconds, BEAT_SECONDS, 0)) canvas.add(kick(), { at, level: 0.7 });
  for (const [index, at] of beats(seconds, BEAT_SECONDS / 4, 0).entries())
    canvas.add(hat(index + 1), { at, level: 0.5, pan: 0.35 + 0.3 * random() });
  canvas.add(noise(seconds, 8), { level: 0.02, pan: 0.3 });
  canvas.add(noise(seconds, 9), { level: 0.02, pan: 0.7 });
  return { pcm: canvas.pcm(-1) };
}

function drums(seconds: number): { pcm: Buffer; attacks: number[] } {
  const canvas = new Canvas(seconds);
  const attacks = beats(seconds, BEAT_SECONDS);
  for (const [index, at] of attacks.entries()) {
    if (index % 2 === 0) canvas.add(kick(), { at });
    else canvas.add(snare(index), { at, level: 0.8, pan: 0.45 });
    canvas.add(hat(index + 50), { at: at + Math.round(0.24 * RATE), level: 0.6, pan: 0.65 });
  }
  canvas.add(noise(seconds, 71), { level: 0.001 });
  return { pcm: canvas.pcm(-2), attacks };
}

function castanets(seconds: number): { pcm: Buffer; attacks: number[] } {
  const canvas = new Canvas(seconds);
  const attacks = beats(seconds, 0.231);
  for (const [index, at] of attacks.entries()) {
    const wood = bandPass(noise(0.06, index + 200), 2_300 + 400 * (index % 3), 2_500);
    const click = shaped(wood, (time) => Math.exp(-110 * time));
    canvas.add(click, { at, pan: 0.3 + 0.4 * (index % 2) });
  }
  canvas.add(pluck(330, { seconds, decayPerSecond: 0.01, partials: harmonics(4, 2) }), { level: 0.015 });
  return { pcm: canvas.pcm(-2), attacks };
}

function harpsichord(seconds: number): { pcm: Buffer; attacks: number[] } {
  const canvas = new Canvas(seconds);
  const partials: Partial[] = harmonics(40, 0.55).map(({ multiple, level }) => ({
    // Stiff strings: partials lie a little above whole multiples.
    multiple: multiple * Math.sqrt(1 + 0.00012 * multiple * multiple),
    level,
  }));
  const starts = beats(seconds, BEAT_SECONDS / 2, 0);
  for (const [index, at] of starts.entries()) {
    const hertz = 220 * 2 ** ((NOTES[(index * 3) % NOTES.length] as number) / 12);
    const note = pluck(hertz, { seconds: 1.2, decayPerSecond: 1.6, partials });
    canvas.add(note, { at, level: 0.3, pan: 0.4 + 0.2 * (index % 2) });
  }
  return { pcm: canvas.pcm(-2), attacks: [] };
}

/** Formants of a, e, i, o, u of a man's voice, in Hz: Peterson and Barney, J. Acoust. Soc. Am. 24 (1952), rounded. */
const VOWELS = [
  [730, 1090, 2440],
  [530, 1840, 2480],
  [270, 2290, 3010],
  [570, 840, 2410],
  [300, 870, 2240],
] as const;
const SYLLABLE_SECONDS = 0.43;

function voice(seconds: number): { pcm: Buffer } {
  const canvas = new Canvas(seconds);
  const random = seededRandom(23);
  let phase = 0;
  const breath = noise(seconds, 31);
  const pulses = sound(seconds, (time) => {
    const hertz = 118 + 22 * Math.sin(time * 1.1) + 3 * Math.sin(2 * Math.PI * 5.3 * time);
    phase += hertz / RATE;
    const turn = phase % 1;
    // Rosenberg's glottal pulse, differentiated by the lips.
    return turn < 0.4
      ? Math.sin((Math.PI * turn) / 0.4)
      : turn < 0.56
        ? -Math.sin((Math.PI * (turn - 0.4)) / 0.16) * 1.6
        : 0;
  }).map((value, at) => value + 0.04 * (breath[at] as number));
  const syllable = (time: number): number => Math.floor(time / SYLLABLE_SECONDS);
  const within = (time: number): number => (time % SYLLABLE_SECONDS) / SYLLABLE_SECONDS;
  const spoken = shaped(pulses, (time) =>
    within(time) < 0.22 ? 0 : Math.sin(Math.PI * ((within(time) - 0.22) / 0.78)) ** 0.5,
  );
  for (const formant of [0, 1, 2] as const) {
    const hertz = (time: number): number => {
      const [now, next] = [VOWELS[syllable(time) % 5], VOWELS[(syllable(time) + 1) % 5]] as const;
      const blend = Math.max(0, (within(time) - 0.7) / 0.3);
      return (now?.[formant] ?? 500) * (1 - blend) + (next?.[formant] ?? 500) * blend;
    };
    canvas.add(bandPass(spoken, hertz, 70 + 50 * formant), { level: [1, 0.6, 0.3][formant] });
  }
  for (let start = 0; start < seconds; start += SYLLABLE_SECONDS) {
    const hiss = bandPass(noise(0.09, 300 + Math.round(start * 10)), 4_500 + 2_500 * random(), 3_000);
    const envelope = (time: number): number => Math.sin((Math.PI * time) / 0.09);
    canvas.add(shaped(hiss, envelope), { at: Math.round((start + 0.01) * RATE), level: 0.12 });
  }
  canvas.add(noise(seconds, 41), { level: 0.0006, pan: 0.2 });
  canvas.add(noise(seconds, 42), { level: 0.0006, pan: 0.8 });
  return { pcm: canvas.pcm(-3) };
}

function applause(seconds: number): { pcm: Buffer } {
  const canvas = new Canvas(seconds);
  const random = seededRandom(61);
  const claps = Math.round(seconds * 220);
  for (let index = 0; index < claps; index += 1) {
    const clap = shaped(bandPass(noise(0.03, 1_000 + index), 700 + 1_800 * random(), 2_500), (time) =>
      Math.exp(-180 * time),
    );
    const level = 0.1 + random() ** 4;
    canvas.add(clap, { at: Math.floor(random() * canvas.samples), level, pan: random() });
  }
  canvas.add(noise(seconds, 62), { level: 0.01, pan: 0.1 });
  canvas.add(noise(seconds, 63), { level: 0.01, pan: 0.9 });
  return { pcm: canvas.pcm(-2) };
}

function wide(seconds: number): { pcm: Buffer } {
  const canvas = new Canvas(seconds);
  for (const [index, at] of beats(seconds, BEAT_SECONDS / 2, 0).entries()) {
    const hertz = 196 * 2 ** ((NOTES[index % NOTES.length] as number) / 12) * (index % 2 ? 1.5 : 1);
    const note = pluck(hertz, { seconds: 0.9, decayPerSecond: 2.5, partials: harmonics(16, 1.2) });
    canvas.add(note, { at, level: 0.4, pan: index % 2 });
  }
  const strings = sound(seconds, (time) =>
    [1, 1.498, 2.003].reduce(
      (sum, ratio) => sum + Math.sin(2 * Math.PI * 311 * ratio * time + 2 * Math.sin(5 * time)),
      0,
    ),
  );
  canvas.add(strings, { level: 0.08, pan: 0 });
  canvas.add(strings, { level: -0.08, pan: 1 });
  canvas.add(noise(seconds, 81), { level: 0.012, pan: 0 });
  canvas.add(noise(seconds, 82), { level: 0.012, pan: 1 });
  return { pcm: canvas.pcm(-3) };
}

function quiet(seconds: number): { pcm: Buffer } {
  const loud = music(seconds, 7);
  const pcm = Buffer.alloc(loud.length);
  const values = new Int16Array(loud.buffer, loud.byteOffset, loud.length / 2);
  const random = seededRandom(9);
  for (const [index, value] of values.entries()) {
    const fadeDb = 40 + (20 * index) / values.length;
    // Triangular dither, as every mastering tool adds: rounding alone would be distortion.
    const dither = random() - random();
    pcm.writeInt16LE(Math.round(value * 10 ** (-fadeDb / 20) + dither), index * 2);
  }
  return { pcm };
}

function tone(seconds: number): { pcm: Buffer } {
  const canvas = new Canvas(seconds);
  canvas.add(sound(seconds, (time) => Math.sin(2 * Math.PI * 440 * time)));
  return { pcm: canvas.pcm(-0.5) };
}

function sweep(seconds: number): { pcm: Buffer } {
  const canvas = new Canvas(seconds);
  const rise = Math.log(18_000 / 40);
  const tone = sound(seconds, (time) =>
    Math.sin(((2 * Math.PI * 40 * seconds) / rise) * (Math.exp((time / seconds) * rise) - 1)),
  );
  const side = (time: number): number => 0.5 + 0.4 * Math.sin(2 * Math.PI * 0.21 * time);
  canvas.add(
    shaped(tone, (time) => Math.cos((side(time) * Math.PI) / 2)),
    { pan: 0 },
  );
  canvas.add(
    shaped(tone, (time) => Math.sin((side(time) * Math.PI) / 2)),
    { pan: 1 },
  );
  return { pcm: canvas.pcm(-6) };
}
