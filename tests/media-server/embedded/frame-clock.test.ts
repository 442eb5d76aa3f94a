import { FrameClock } from '../../../src/media-server/embedded/frame-clock';

function advance(clock: FrameClock, frames: number): void {
  for (let frame = 0; frame < frames; frame += 1) clock.advance();
}

describe('the time of a stream', () => {
  it('is exactly 1920 ticks a frame, and a rounded millisecond that never drifts', () => {
    const clock = new FrameClock();
    const hourOfFrames = 168_750;
    for (let frame = 0; frame < hourOfFrames; frame += 1) {
      if (clock.ticks !== frame * 1920) throw new Error(`frame ${frame} is at ${clock.ticks}`);
      clock.advance();
    }
    expect(clock.ms).toBe(3_600_000);
  });

  it('puts 21 or 22 ms between frames', () => {
    const clock = new FrameClock();
    const times = Array.from({ length: 7 }, () => {
      const { ms } = clock;
      clock.advance();
      return ms;
    });
    expect(times).toEqual([0, 21, 43, 64, 85, 107, 128]);
  });

  it('goes on from where it is when frames get another length', () => {
    const clock = new FrameClock();
    advance(clock, 375);
    clock.setFormat({ sampleRate: 44_100, frameSamples: 1024 });
    expect(clock.ms).toBe(8_000);
    advance(clock, 441);
    expect(clock.ms).toBe(8_000 + 10_240);
  });

  it('does not notice the same format again', () => {
    const clock = new FrameClock();
    advance(clock, 1);
    clock.setFormat({ sampleRate: 48_000, frameSamples: 1024 });
    advance(clock, 2);
    expect(clock.ticks).toBe(5760);
  });
});
