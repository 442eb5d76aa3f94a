import { quantile } from './quantile';

describe('a quantile', () => {
  it('is the value below which a share of the values lies: nearest rank, in any order', () => {
    const values = [40, 10, 30, 20];
    expect([0, 0.25, 0.26, 0.5, 0.99, 1].map((p) => quantile(values, p))).toEqual([10, 10, 20, 20, 40, 40]);
    const hundred = Array.from({ length: 100 }, (_, index) => 100 - index);
    expect([0.5, 0.99, 1].map((p) => quantile(hundred, p))).toEqual([50, 99, 100]);
  });

  it('says that it knows nothing of no values', () => {
    expect(quantile([], 0.5)).toBeNaN();
  });
});
