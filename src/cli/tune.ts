/** The tune is 48 kHz, 2 channels, s16le: what a creator that says nothing is taken to send. */
export const TUNE_SAMPLE_RATE = 48_000;
/** Samples of one block: 20 ms, one WebSocket message. */
export const TUNE_BLOCK_SAMPLES = 960;

/** Seconds from one note to the next: eighths at 84 beats a minute. */
const STEP_SECONDS = 60 / 84 / 2;
const STEPS_PER_CHORD = 16;
/** Semitones above A1 (55 Hz): Am9, Fmaj9, Cmaj7, Gadd9. The first is the bass. */
const CHORDS = [
  [0, 12, 19, 22, 27],
  [-4, 8, 15, 19, 24],
  [3, 15, 22, 26, 31],
  [-2, 10, 17, 24, 29],
] as const;
/** A minor pentatonic: sounds well over each of the chords. */
const SCALE = [24, 27, 29, 31, 34, 36, 39, 41, 43, 46] as const;
/** When and how loud a plucked note is heard again, each time on the other side. */
const ECHOES = [
  { afterSteps: 0, gain: 1 },
  { afterSteps: 1.5, gain: 0.4 },
  { afterSteps: 3, gain: 0.18 },
] as const;

const WAVE_STEPS = 4096;
const SINE = wave(0);
const PAD = wave(0.25);
const PLUCK = wave(0.5);
const BASS = wave(0.6);

/** One turn of a sine with `brightness` of its octave and twelfth. */
function wave(brightness: number): Float64Array {
  return Float64Array.from({ length: WAVE_STEPS + 1 }, (_, step) => {
    const turn = (step / WAVE_STEPS) * 2 * Math.PI;
    return Math.sin(turn) + brightness * (0.4 * Math.sin(2 * turn) + 0.15 * Math.sin(3 * turn));
  });
}

interface Voice {
  readonly startSeconds: number;
  readonly seconds: number;
  readonly hertz: number;
  readonly gain: number;
  /** -1 left to 1 right. */
  readonly pan: number;
  readonly attackSeconds: number;
  /** Falls to a third in this time; without it the note swells and ebbs over its whole length. */
  readonly decaySeconds?: number;
  readonly wave: Float64Array;
}

const PLUCK_SECONDS = 2.4;
const REACH_STEPS = Math.ceil(PLUCK_SECONDS / STEP_SECONDS + 3);

/**
 * One block of a calm piece that never ends and never quite repeats: a pad under four chords, a bass, and plucked
 * notes with echoes. The same number always gives the same bytes, whatever was asked before.
 * @param index which block, from 0; block `n` begins `n × 20 ms` into the tune
 * @returns 960 samples, 3840 bytes
 */
export function tuneBlock(index: number): Buffer {
  const left = new Float64Array(TUNE_BLOCK_SAMPLES);
  const right = new Float64Array(TUNE_BLOCK_SAMPLES);
  const fromSeconds = (index * TUNE_BLOCK_SAMPLES) / TUNE_SAMPLE_RATE;
  const untilSeconds = fromSeconds + TUNE_BLOCK_SAMPLES / TUNE_SAMPLE_RATE;
  const lastStep = Math.floor(untilSeconds / STEP_SECONDS);
  for (let step = Math.max(0, lastStep - REACH_STEPS); step <= lastStep; step += 1) {
    for (const voice of pluckedAt(step)) addVoice(voice, fromSeconds, left, right);
  }
  const chord = Math.floor(lastStep / STEPS_PER_CHORD);
  for (let number = Math.max(0, chord - 1); number <= chord; number += 1) {
    for (const voice of chordAt(number)) addVoice(voice, fromSeconds, left, right);
  }
  const bytes = Buffer.allocUnsafe(TUNE_BLOCK_SAMPLES * 4);
  for (let at = 0; at < TUNE_BLOCK_SAMPLES; at += 1) {
    bytes.writeInt16LE(toInt16(left[at] as number), at * 4);
    bytes.writeInt16LE(toInt16(right[at] as number), at * 4 + 2);
  }
  return bytes;
}

/** `seconds` of the tune as a RIFF/WAVE file, block by block: the header comes first. */
export function* tuneWav(seconds: number): Generator<Buffer> {
  const blocks = Math.max(1, Math.round((seconds * TUNE_SAMPLE_RATE) / TUNE_BLOCK_SAMPLES));
  yield wavHeader(blocks * TUNE_BLOCK_SAMPLES * 4);
  for (let index = 0; index < blocks; index += 1) yield tuneBlock(index);
}

function wavHeader(dataBytes: number): Buffer {
  const header = Buffer.alloc(44);
  header.write('RIFF', 0, 'latin1');
  header.writeUInt32LE(dataBytes + 36, 4);
  header.write('WAVEfmt ', 8, 'latin1');
  header.writeUInt32LE(16, 16);
  header.writeUInt16LE(1, 20);
  header.writeUInt16LE(2, 22);
  header.writeUInt32LE(TUNE_SAMPLE_RATE, 24);
  header.writeUInt32LE(TUNE_SAMPLE_RATE * 4, 28);
  header.writeUInt16LE(4, 32);
  header.writeUInt16LE(16, 34);
  header.write('data', 36, 'latin1');
  header.writeUInt32LE(dataBytes, 40);
  return header;
}

/** The note that begins at a step, with its echoes; none where the dice say rest. */
function pluckedAt(step: number): Voice[] {
  if (dice(step, 1) < 0.38 && step % 4 !== 0) return [];
  const note = SCALE[Math.floor(dice(step, 2) * SCALE.length)] as number;
  const side = dice(step, 3) * 1.4 - 0.7;
  const gain = 0.1 + 0.07 * dice(step, 4);
  return ECHOES.map((echo, number) => ({
    startSeconds: (step + echo.afterSteps) * STEP_SECONDS,
    seconds: PLUCK_SECONDS,
    hertz: pitch(note),
    gain: gain * echo.gain,
    pan: number % 2 === 0 ? side : -side,
    attackSeconds: 0.004,
    decaySeconds: 0.45,
    wave: PLUCK,
  }));
}

/** The pad and the bass of a chord. Each pad note is two voices a few cents apart, which makes it shimmer. */
function chordAt(number: number): Voice[] {
  const chord = CHORDS[number % CHORDS.length] as readonly number[];
  const startSeconds = number * STEPS_PER_CHORD * STEP_SECONDS;
  const seconds = (STEPS_PER_CHORD + 6) * STEP_SECONDS;
  const voices: Voice[] = [];
  for (const [place, note] of chord.entries()) {
    const base = { startSeconds, seconds, attackSeconds: 1.2 };
    if (place === 0) {
      voices.push({ ...base, hertz: pitch(note), gain: 0.11, pan: 0, wave: BASS });
      continue;
    }
    const hertz = pitch(note);
    voices.push({ ...base, hertz: hertz * 0.9985, gain: 0.032, pan: -0.7, wave: PAD });
    voices.push({ ...base, hertz: hertz * 1.0015, gain: 0.032, pan: 0.7, wave: PAD });
  }
  return voices;
}

function addVoice(voice: Voice, fromSeconds: number, left: Float64Array, right: Float64Array): void {
  const first = Math.ceil((voice.startSeconds - fromSeconds) * TUNE_SAMPLE_RATE);
  const last = Math.floor((voice.startSeconds + voice.seconds - fromSeconds) * TUNE_SAMPLE_RATE);
  const from = Math.max(0, first);
  const until = Math.min(left.length, last);
  if (from >= until) return;
  const toLeft = Math.sqrt((1 - voice.pan) / 2);
  const toRight = Math.sqrt((1 + voice.pan) / 2);
  const turn = voice.hertz / TUNE_SAMPLE_RATE;
  let phase = (fromSeconds + from / TUNE_SAMPLE_RATE - voice.startSeconds) * voice.hertz;
  // The envelope is straight between the two ends of a block: 20 ms are shorter than the ear follows, and the attack
  // of a pluck, which is shorter still, is worked out for each sample.
  const startGain = envelope(voice, fromSeconds + from / TUNE_SAMPLE_RATE - voice.startSeconds);
  const endGain = envelope(voice, fromSeconds + until / TUNE_SAMPLE_RATE - voice.startSeconds);
  for (let at = from; at < until; at += 1) {
    const age = fromSeconds + at / TUNE_SAMPLE_RATE - voice.startSeconds;
    const attack = age < voice.attackSeconds ? age / voice.attackSeconds : 1;
    const gain = attack * (startGain + ((endGain - startGain) * (at - from)) / (until - from));
    const value = gain * look(voice.wave, phase);
    (left[at] as number) += value * toLeft;
    (right[at] as number) += value * toRight;
    phase += turn;
  }
}

/** The gain of a note at an age, its attack left aside. Ends at nothing, so that no note clicks. */
function envelope(voice: Voice, ageSeconds: number): number {
  const left = Math.max(0, voice.seconds - ageSeconds);
  const release = Math.min(1, left / (voice.decaySeconds === undefined ? 2 : 0.1));
  if (voice.decaySeconds === undefined)
    return voice.gain * release * (0.85 + 0.15 * look(SINE, ageSeconds * 0.4));
  return voice.gain * release * Math.exp(-ageSeconds / voice.decaySeconds);
}

function pitch(semitones: number): number {
  return 55 * 2 ** (semitones / 12);
}

/**
 * The value of a wave. A look-up in a table costs a quarter of `Math.sin`, and the overtones are in it already.
 * @param turns how often round; 1 is one period
 */
function look(wave: Float64Array, turns: number): number {
  const place = (turns - Math.floor(turns)) * WAVE_STEPS;
  const step = Math.trunc(place);
  const low = wave[step] as number;
  return low + ((wave[step + 1] as number) - low) * (place - step);
}

/** A number from 0 up to 1 that looks random and is always the same for the same step and throw. */
function dice(step: number, number: number): number {
  let mixed = (Math.imul(step + 1, 0x9e3779b1) ^ Math.imul(number, 0x85ebca6b)) >>> 0;
  mixed = Math.imul(mixed ^ (mixed >>> 15), 0x2c1b3c6d) >>> 0;
  mixed = Math.imul(mixed ^ (mixed >>> 12), 0x297a2d39) >>> 0;
  return ((mixed ^ (mixed >>> 15)) >>> 0) / 2 ** 32;
}

/** Rounds to 16 bits, bending what is too loud instead of cutting it off. */
function toInt16(value: number): number {
  const bent =
    Math.abs(value) < 0.6
      ? value
      : Math.sign(value) * (0.6 + 0.35 * Math.tanh((Math.abs(value) - 0.6) / 0.35));
  return Math.round(bent * 32_767);
}
