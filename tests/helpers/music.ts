/** 48 kHz, stereo, s16le: what `music` makes and what most of the end-to-end tests send. */
export const MUSIC_RATE = 48_000;
export const MUSIC_SAMPLE_BYTES = 4;

/** Semitones above the root, four voices each: I, vi, IV, V. */
const CHORDS = [
  [0, 4, 7, 12],
  [-3, 0, 4, 9],
  [-7, -3, 0, 5],
  [-5, -1, 2, 7],
] as const;
const CHORD_SECONDS = 0.75;
const BASE_HZ = 220;
/** A sine table is four times as fast as Math.sin, and its error lies below what 16 bits can show. */
const TABLE_BITS = 12;
const TABLE = Float32Array.from({ length: 1 << TABLE_BITS }, (_, i) =>
  Math.sin((2 * Math.PI * i) / (1 << TABLE_BITS)),
);

/** xorshift32: the same seed gives the same numbers everywhere. Each call gives 0 (inclusive) to 1 (exclusive). */
export function seededRandom(seed: number): () => number {
  let state = (Math.imul(seed, 0x9e3779b1) ^ 0x85ebca6b) >>> 0 || 1;
  return () => {
    state ^= state << 13;
    state >>>= 0;
    state ^= state >>> 17;
    state ^= state << 5;
    state >>>= 0;
    return state / 0x1_0000_0000;
  };
}

/**
 * Music-like PCM: plucked chords with overtones, a voice for each place in the stereo picture, a moving pan and a
 * breath of noise. Never silent for the length of an AAC frame, never clipping, and no two stretches alike, so that
 * a lost, repeated or moved sample changes the AAC. The same seed gives the same bytes.
 * @returns `seconds` of interleaved s16le stereo at 48 kHz
 */
export function music(seconds: number, seed = 1): Buffer {
  const samples = Math.round(seconds * MUSIC_RATE);
  const out = new Int16Array(samples * 2);
  const random = seededRandom(seed);
  const chordSamples = Math.round(CHORD_SECONDS * MUSIC_RATE);
  const rootHz = BASE_HZ * 2 ** (Math.floor(random() * 12) / 12);
  const mask = TABLE.length - 1;

  for (let from = 0, bar = 0; from < samples; from += chordSamples, bar += 1) {
    const chord = CHORDS[bar % CHORDS.length] as readonly number[];
    const shift = Math.floor(random() * 5) - 2;
    const voices = chord.map((semitones, index) => ({
      step: ((rootHz * 2 ** ((semitones + shift) / 12)) / MUSIC_RATE) * TABLE.length,
      phase: random() * TABLE.length,
      pan: (index + random()) / chord.length,
      decay: 1 - (1.5 + random() * 3) / MUSIC_RATE,
      level: 1,
    }));
    const until = Math.min(samples, from + chordSamples);
    for (let at = from; at < until; at += 1) {
      let left = (random() - 0.5) * 0.02;
      let right = (random() - 0.5) * 0.02;
      for (const voice of voices) {
        voice.phase += voice.step;
        if (voice.phase >= TABLE.length * 64) voice.phase -= TABLE.length * 64;
        voice.level = voice.level * voice.decay + 0.15 * (1 - voice.decay);
        const tone =
          (TABLE[voice.phase & mask] as number) +
          0.3 * (TABLE[(voice.phase * 2) & mask] as number) +
          0.1 * (TABLE[(voice.phase * 5) & mask] as number);
        const value = tone * voice.level * 0.15;
        left += value * (1 - voice.pan);
        right += value * voice.pan;
      }
      out[at * 2] = Math.round(left * 32_767);
      out[at * 2 + 1] = Math.round(right * 32_767);
    }
  }
  return Buffer.from(out.buffer, out.byteOffset, out.byteLength);
}
