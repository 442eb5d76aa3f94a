import { Pace } from '../../src/cli/pace';

describe('the pace of a sender', () => {
  let nowMs = 0;
  let pace: Pace;
  beforeEach(() => {
    nowMs = 5_000;
    pace = new Pace(() => nowMs);
  });

  it('counts what was sent, less the time that has passed', () => {
    pace.sent(600);
    expect(pace.aheadMs).toBe(600);
    nowMs += 250;
    expect(pace.aheadMs).toBe(350);
    nowMs += 10_000;
    expect(pace.aheadMs).toBe(0);
  });

  it('believes each receipt more than itself', () => {
    pace.sent(600);
    nowMs += 100;
    pace.acknowledged(400, 900);
    expect(pace.underwayMs).toBe(200);
    expect(pace.aheadMs).toBe(1_100);
    nowMs += 300;
    expect(pace.aheadMs).toBe(800);
  });

  it('forgets what was under way on a connection that was lost', () => {
    pace.sent(600);
    pace.lost();
    expect(pace.underwayMs).toBe(0);
    expect(pace.aheadMs).toBe(0);
  });
});
