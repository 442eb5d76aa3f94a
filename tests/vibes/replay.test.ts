import { Replay } from '../../src/vibes/replay';

const SAMPLE_BYTES = 4;
const RATE = 48_000;
const FRAME = 1_024;

/** So many samples, each with its number. */
function samples(from: number, count: number): Buffer {
  const bytes = Buffer.alloc(count * SAMPLE_BYTES);
  for (let at = 0; at < count; at += 1) bytes.writeUInt32LE(from + at, at * SAMPLE_BYTES);
  return bytes;
}

function feed(replay: Replay, frames: number, from = 0): void {
  for (let at = 0; at < frames; at += 1) replay.fed(samples(from + at * FRAME, FRAME));
}

describe('what an encoder is fed again', () => {
  let replay: Replay;
  beforeEach(() => {
    replay = new Replay(SAMPLE_BYTES, RATE);
  });

  it('is the last of what the one before was fed', () => {
    feed(replay, 2);
    replay.fed(samples(2_048, 100));
    expect(replay.takeLast(1_100)).toEqual(samples(1_048, 1_100));
  });

  it('is nothing of the life before that', () => {
    feed(replay, 1);
    replay.clear();
    replay.fed(samples(5_000, 7));
    expect(replay.takeLast(1_000)).toEqual(samples(5_000, 7));
  });

  it('reaches as far back as a pipe and an FFmpeg hold, where nobody says what was published', () => {
    feed(replay, 200);
    const kept = replay.takeLast(1e6);
    const reach = 256 * 1024 + 0.7 * RATE * SAMPLE_BYTES;
    expect(kept.length).toBeGreaterThanOrEqual(reach);
    expect(kept.length).toBeLessThan(reach + FRAME * SAMPLE_BYTES);
    const count = kept.length / SAMPLE_BYTES;
    expect(kept.equals(samples(200 * FRAME - count, count))).toBe(true);
  });

  it('is kept no longer than until it is published, to the chunk', () => {
    feed(replay, 100);
    replay.published(98 * FRAME + 1);
    const kept = replay.takeLast(1e6);
    expect(kept).toEqual(samples(98 * FRAME, 2 * FRAME));
  });

  it('is all that is not published, for eight seconds', () => {
    feed(replay, 1);
    replay.published(0);
    feed(replay, 374, FRAME);
    expect(replay.takeLast(1e6).equals(samples(0, 375 * FRAME))).toBe(true);
    feed(replay, 600);
    const kept = replay.takeLast(1e6).length;
    expect(kept).toBeGreaterThanOrEqual(8 * RATE * SAMPLE_BYTES);
    expect(kept).toBeLessThan((8 * RATE + FRAME) * SAMPLE_BYTES);
  });

  it('is bounded in bytes, whatever the format', () => {
    const wide = new Replay(32, 192_000);
    wide.published(0);
    const second = Buffer.alloc(32 * 19_200);
    for (let tenth = 0; tenth < 80; tenth += 1) wide.fed(second);
    expect(wide.takeLast(1e7).length).toBeLessThan(6 * 1024 * 1024 + second.length);
  });

  it('is not copied before it is needed', () => {
    const bytes = samples(0, FRAME);
    replay.fed(bytes);
    bytes.writeUInt32LE(77, 0);
    expect(replay.takeLast(FRAME).readUInt32LE(0)).toBe(77);
  });

  it('counts what is published from the beginning of each life', () => {
    feed(replay, 10);
    replay.published(10 * FRAME);
    replay.clear();
    feed(replay, 10);
    replay.published(4 * FRAME);
    expect(replay.takeLast(1e6)).toEqual(samples(4 * FRAME, 6 * FRAME));
  });
});
