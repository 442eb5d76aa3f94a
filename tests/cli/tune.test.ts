import { TUNE_BLOCK_SAMPLES, tuneBlock, tuneWav } from '../../src/cli/tune';

/** Peak and RMS of a stretch, from 0 to 1, left and right together. */
function loudness(blocks: readonly Buffer[]): { peak: number; rms: number } {
  let [peak, sum, count] = [0, 0, 0];
  for (const bytes of blocks) {
    for (let at = 0; at < bytes.length; at += 2) {
      const value = bytes.readInt16LE(at) / 32_768;
      peak = Math.max(peak, Math.abs(value));
      sum += value * value;
      count += 1;
    }
  }
  return { peak, rms: Math.sqrt(sum / count) };
}

const blocks = (from: number, count: number): Buffer[] =>
  Array.from({ length: count }, (_, index) => tuneBlock(from + index));

describe('the generated tune', () => {
  it('comes in blocks of 20 ms of 48 kHz stereo s16le', () => {
    expect(tuneBlock(0)).toHaveLength(TUNE_BLOCK_SAMPLES * 4);
  });

  it('is the same for the same block, whatever was asked before', () => {
    const block = tuneBlock(700);
    blocks(40, 5);
    expect(tuneBlock(700).equals(block)).toBe(true);
  });

  it('is heard well and never too loud, at the start as after hours', () => {
    for (const from of [0, 5_000, 1_000_000]) {
      const { peak, rms } = loudness(blocks(from, 150));
      expect(peak).toBeLessThan(0.9);
      expect(20 * Math.log10(rms)).toBeGreaterThan(-32);
    }
  });

  it('does not click where blocks meet', () => {
    const [first, second] = [tuneBlock(1_234), tuneBlock(1_235)] as const;
    const steps: number[] = [];
    for (let at = 4; at < first.length; at += 4)
      steps.push(Math.abs(first.readInt16LE(at) - first.readInt16LE(at - 4)));
    const seam = Math.abs(second.readInt16LE(0) - first.readInt16LE(first.length - 4));
    expect(seam).toBeLessThanOrEqual(2 * Math.max(...steps));
  });

  it('differs from left to right, and from one minute to the next', () => {
    const block = tuneBlock(500);
    const left = block.filter((_, at) => at % 4 < 2);
    const right = block.filter((_, at) => at % 4 >= 2);
    expect(left).not.toEqual(right);
    expect(tuneBlock(3_500).equals(block)).toBe(false);
  });

  it('makes a WAV file whose header says what follows', () => {
    const wav = Buffer.concat([...tuneWav(0.5)]);
    expect(wav.toString('latin1', 0, 4)).toBe('RIFF');
    expect(wav.readUInt32LE(4)).toBe(wav.length - 8);
    expect(wav.readUInt32LE(24)).toBe(48_000);
    expect(wav.readUInt32LE(40)).toBe(96_000);
    expect(wav).toHaveLength(44 + 96_000);
    expect(wav.subarray(44, 44 + 3840).equals(tuneBlock(0))).toBe(true);
  });
});
