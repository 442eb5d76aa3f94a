import { DEFAULT_FORMAT } from '../../src/audio/pcm';
import { Tail } from '../../src/audio/tail';
import { TICK_MS } from '../../src/audio/ticker';

function setUp(tailMs: number) {
  const written: { atMs: number; bytes: Buffer }[] = [];
  const ends: number[] = [];
  let played = 0;
  let nowMs = 500;
  const sink = { writable: true, write: (bytes: Buffer) => written.push({ atMs: nowMs, bytes }) };
  const tail = new Tail({
    ...{ format: DEFAULT_FORMAT, sink, tailMs, nowMs },
    played: (bytes) => (played += bytes.length),
    finished: () => ends.push(nowMs),
  });
  const run = (ms: number): void => {
    for (const endMs = nowMs + ms; nowMs < endMs;) tail.tick((nowMs += TICK_MS));
  };
  return { sink, written, ends, tail, run, playedBytes: () => played };
}

describe('a tail', () => {
  it('is silence in AAC frames, one a tick, as long as it should be, and then over', () => {
    const { written, ends, run, playedBytes } = setUp(160);
    run(1_000);
    expect(written.map(({ bytes }) => bytes.length)).toEqual(Array(8).fill(1024 * 4));
    expect(written.every(({ bytes }) => bytes.every((byte) => byte === 0))).toBe(true);
    expect(new Set(written.map(({ atMs }) => atMs)).size).toBeGreaterThanOrEqual(7);
    expect(playedBytes()).toBe(8 * 1024 * 4);
    expect(ends).toHaveLength(1);
    expect(ends[0]).toBeGreaterThanOrEqual(660);
    expect(ends[0]).toBeLessThan(660 + TICK_MS);
  });

  it('makes up for ticks that came late, with no more than it should be', () => {
    const { written, ends, tail } = setUp(160);
    tail.tick(560);
    expect(written).toHaveLength(3);
    tail.tick(5_000);
    expect([written.length, ends.length]).toEqual([8, 1]);
  });

  it('is not waited for where nobody takes it', () => {
    const { sink, written, ends, run } = setUp(160);
    sink.writable = false;
    run(100);
    sink.writable = true;
    run(100);
    expect(ends).toHaveLength(1);
    expect(written.length).toBeLessThan(5);
  });
});
