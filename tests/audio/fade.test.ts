import { Fader } from '../../src/audio/fade';
import { DEFAULT_FORMAT, sampleBytes } from '../../src/audio/pcm';

const FRAME = 1024;

/** A rising ramp: each sample has its own value. */
function ramp(samples: number): Buffer {
  const bytes = Buffer.alloc(samples * sampleBytes(DEFAULT_FORMAT));
  for (let i = 0; i < samples; i += 1) {
    bytes.writeInt16LE(10_000 + i, i * 4);
    bytes.writeInt16LE(-10_000 - i, i * 4 + 2);
  }
  return bytes;
}

function left(frame: Buffer): number[] {
  return Array.from({ length: frame.length / 4 }, (_, i) => frame.readInt16LE(i * 4));
}

describe('a fader', () => {
  it('falls from the last sample to silence within 5 ms, in every channel', () => {
    const fader = new Fader(DEFAULT_FORMAT, FRAME);
    fader.heard(ramp(960));
    const frame = fader.out();
    expect(frame.length).toBe(FRAME * 4);
    const values = left(frame);
    expect(values[0]).toBe(10_959);
    expect(frame.readInt16LE(2)).toBe(-10_959);
    for (let i = 1; i < 240; i += 1) expect(values[i]).toBeLessThanOrEqual(values[i - 1] as number);
    expect(values.slice(240).every((value) => value === 0)).toBe(true);
  });

  it('rises from silence to the first sample within 5 ms', () => {
    const values = left(new Fader(DEFAULT_FORMAT, FRAME).into(ramp(960)));
    expect(values.at(-1)).toBe(10_000);
    expect(values.slice(0, FRAME - 240).every((value) => value === 0)).toBe(true);
    for (let i = FRAME - 240; i < FRAME - 1; i += 1)
      expect(Math.abs((values[i + 1] as number) - (values[i] as number))).toBeLessThan(120);
  });

  it('takes the end of what was heard from several pieces', () => {
    const whole = new Fader(DEFAULT_FORMAT, FRAME);
    const pieces = new Fader(DEFAULT_FORMAT, FRAME);
    const sound = ramp(500);
    whole.heard(sound);
    for (let at = 0; at < sound.length; at += 28) pieces.heard(sound.subarray(at, at + 28));
    expect(pieces.out().equals(whole.out())).toBe(true);
  });

  it('keeps no memory of the pieces themselves', () => {
    const sound = ramp(500);
    const whole = new Fader(DEFAULT_FORMAT, FRAME);
    whole.heard(sound);
    const before = whole.out();
    sound.fill(0);
    expect(whole.out().equals(before)).toBe(true);
  });

  it('makes plain silence where nothing was heard and nothing follows', () => {
    const fader = new Fader(DEFAULT_FORMAT, FRAME);
    expect(fader.out().every((byte) => byte === 0)).toBe(true);
    expect(fader.into(Buffer.alloc(0)).every((byte) => byte === 0)).toBe(true);
  });
});
