import { Arrivals } from './arrivals';

describe('arrivals of frames', () => {
  it('are known by number, and counted from a time on', () => {
    const arrivals = new Arrivals();
    expect(arrivals.at(0)).toBeUndefined();
    for (let frame = 0; frame < 10; frame += 1) arrivals.add(100 + frame * 20);
    expect(arrivals.at(3)).toBe(160);
    expect(arrivals.since(240)).toBe(3);
    expect(arrivals.since(0)).toBe(10);
    expect(arrivals.since(1_000)).toBe(0);
  });

  it('are forgotten after a while: the nearest that is known stands for them', () => {
    const arrivals = new Arrivals();
    for (let frame = 0; frame < 10_000; frame += 1) arrivals.add(frame);
    expect(arrivals.count).toBe(10_000);
    expect(arrivals.at(0)).toBe(10_000 - 4_096);
    expect(arrivals.at(9_999)).toBe(9_999);
    expect(arrivals.at(20_000)).toBe(9_999);
    expect(arrivals.since(0)).toBe(4_096);
  });
});
