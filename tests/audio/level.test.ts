import { type Level, LevelMeter, SILENCE_DBFS } from '../../src/audio/level';
import {
  DEFAULT_FORMAT,
  type PcmFormat,
  sampleBytes,
  type SampleFormat,
  valueAccess,
  valueBytes,
} from '../../src/audio/pcm';

/** A sine of `amplitude` for `ms`, in any format. */
function sine(format: PcmFormat, ms: number, amplitude: number): Buffer {
  const samples = (format.sampleRate * ms) / 1000;
  const bytes = Buffer.alloc(samples * sampleBytes(format));
  const { write } = valueAccess(format);
  for (let i = 0; i < samples; i += 1) {
    for (let channel = 0; channel < format.channels; channel += 1) {
      const at = i * sampleBytes(format) + channel * valueBytes(format);
      write(bytes, at, amplitude * Math.sin((2 * Math.PI * 1000 * i) / format.sampleRate));
    }
  }
  return bytes;
}

function meter(format: PcmFormat = DEFAULT_FORMAT) {
  const levels: Level[] = [];
  return { levels, meter: new LevelMeter(format, (level) => levels.push(level)) };
}

describe('a level meter', () => {
  it.each(['u8', 's16le', 's24le', 's32le', 'f32le'] as SampleFormat[])(
    'measures peak and RMS of %s',
    (sampleFormat) => {
      const format = { sampleFormat, sampleRate: 48_000, channels: 2 };
      const { levels, meter: it } = meter(format);
      it.measure(sine(format, 1_000, 0.5));
      expect(levels).toHaveLength(10);
      for (const { peakDbfs, rmsDbfs } of levels) {
        expect(Math.abs(peakDbfs - -6)).toBeLessThan(0.11);
        expect(Math.abs(rmsDbfs - -9)).toBeLessThan(0.11);
      }
    },
  );

  it('gives the same levels however the audio is cut, also at odd addresses', () => {
    const whole = meter();
    const cut = meter();
    const audio = sine(DEFAULT_FORMAT, 500, 0.3);
    whole.meter.measure(audio);
    const odd = Buffer.alloc(audio.length + 1);
    audio.copy(odd, 1);
    for (let at = 1; at < odd.length; at += 4 * 333)
      cut.meter.measure(odd.subarray(at, Math.min(odd.length, at + 4 * 333)));
    expect(cut.levels).toEqual(whole.levels);
  });

  it('says -120 for digital silence', () => {
    const { levels, meter: it } = meter();
    it.measure(Buffer.alloc(19_200));
    expect(levels).toEqual([{ peakDbfs: SILENCE_DBFS, rmsDbfs: SILENCE_DBFS }]);
  });

  it('calls a signal silent after five seconds, quiet after ten, and ok at once when it is back', () => {
    const { meter: it } = meter();
    it.measure(sine(DEFAULT_FORMAT, 4_900, 0.0001));
    expect(it.signal).toBe('ok');
    it.measure(sine(DEFAULT_FORMAT, 200, 0.0001));
    expect(it.signal).toBe('silent');
    it.measure(sine(DEFAULT_FORMAT, 10_000, 0.005));
    expect(it.signal).toBe('quiet');
    it.measure(sine(DEFAULT_FORMAT, 200, 0.2));
    expect(it.signal).toBe('ok');
  });

  it('survives values that are no numbers', () => {
    const format = { ...DEFAULT_FORMAT, sampleFormat: 'f32le' as const };
    const { levels, meter: it } = meter(format);
    const bytes = sine(format, 100, 0.5);
    bytes.writeFloatLE(NaN, 0);
    bytes.writeFloatLE(Infinity, 4);
    it.measure(bytes);
    expect(levels[0]?.peakDbfs).toBeCloseTo(-6, 0);
  });
});
