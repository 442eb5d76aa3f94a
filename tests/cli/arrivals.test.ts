import { Arrivals } from '../../src/cli/arrivals';

describe('the arrivals of audio tags', () => {
  it('are counted, with the wait for the first', () => {
    const arrivals = new Arrivals(1_000);
    for (let tag = 0; tag < 48; tag += 1) arrivals.tag(tag * 21, 1_200 + tag * 21);
    expect(arrivals.report).toMatchObject({ tags: 48, audioMs: 1024, firstTagMs: 200, longestGapMs: 21 });
    expect(arrivals.report).toMatchObject({
      gapsOver60Ms: 0,
      gapsOver100Ms: 0,
      backwards: 0,
      longestLagMs: 0,
    });
  });

  it('tell gaps of more than 60 and more than 100 ms, not those of exactly so much', () => {
    const arrivals = new Arrivals(0);
    for (const atMs of [0, 60, 121, 221, 322]) arrivals.tag(atMs, atMs);
    expect(arrivals.report).toMatchObject({ gapsOver60Ms: 3, gapsOver100Ms: 1, longestGapMs: 101 });
  });

  it('lag behind the promptest of them', () => {
    const arrivals = new Arrivals(0);
    arrivals.tag(0, 500);
    arrivals.tag(21, 501);
    arrivals.tag(42, 552);
    expect(arrivals.report.lagMs).toBe(30);
    arrivals.tag(63, 543);
    expect(arrivals.report).toMatchObject({ lagMs: 0, longestLagMs: 30 });
  });

  it('notice timestamps that run backwards', () => {
    const arrivals = new Arrivals(0);
    for (const timestampMs of [0, 21, 10, 31]) arrivals.tag(timestampMs, 0);
    expect(arrivals.report.backwards).toBe(1);
  });
});
