import { distribution, fitLine, median, spread } from '../../bench/lib/stats';

describe('a median', () => {
  it('says that it knows nothing of no values', () => {
    expect(median([])).toBeNaN();
  });

  it('is the middle value, or lies between two', () => {
    expect(median([3, 1, 2])).toBe(2);
    expect(median([4, 1, 2, 3])).toBe(2.5);
  });

  it('leaves the values in their order', () => {
    const values = [3, 1, 2];
    median(values);
    expect(values).toEqual([3, 1, 2]);
  });
});

describe('a spread', () => {
  it('goes from the smallest to the largest', () => {
    expect(spread([5, -1, 3])).toEqual({ least: -1, most: 5 });
  });
});

describe('a distribution', () => {
  it('gives each value its share where there are few', () => {
    expect(distribution([30, 10, 20, 20])).toEqual([
      [10, 0.25],
      [20, 0.5],
      [20, 0.75],
      [30, 1],
    ]);
  });

  it('has no more points than asked for, and keeps the largest value', () => {
    const points = distribution(
      Array.from({ length: 1_000 }, (_, index) => index),
      10,
    );
    expect(points).toHaveLength(10);
    expect(points[0]).toEqual([99, 0.1]);
    expect(points.at(-1)).toEqual([999, 1]);
  });

  it('of nothing has no point', () => {
    expect(distribution([])).toEqual([]);
  });
});

describe('a line through points', () => {
  it('is the one they lie on', () => {
    const line = fitLine([
      [10, 25],
      [20, 45],
      [40, 85],
    ]);
    expect(line.slope).toBeCloseTo(2);
    expect(line.intercept).toBeCloseTo(5);
  });

  it('is level where all have the same place', () => {
    expect(
      fitLine([
        [1, 2],
        [1, 4],
      ]),
    ).toEqual({ slope: 0, intercept: 3 });
  });
});
