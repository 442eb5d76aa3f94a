import { makeAxis, shareAxis } from '../../bench/lib/axis';

const linear = (values: number[], fromZero = true) =>
  makeAxis({ values, range: [100, 500], scale: 'linear', ticks: 5, fromZero });
const logarithmic = (values: number[]) =>
  makeAxis({ values, range: [0, 300], scale: 'logarithmic', ticks: 6, fromZero: true });

describe('a linear axis', () => {
  it('begins at zero, has round ticks, and room for all values', () => {
    const { ticks, least, most } = linear([3, 47]);
    expect(ticks).toEqual([0, 10, 20, 30, 40, 50]);
    expect([least, most]).toEqual([0, 50]);
  });

  it('lays the first tick at its beginning and the last at its end', () => {
    const axis = linear([3, 47]);
    expect([0, 25, 50].map((value) => axis.at(value))).toEqual([100, 300, 500]);
  });

  it('has ticks without the dust of binary fractions', () => {
    expect(linear([0.05, 0.29]).ticks).toEqual([0, 0.1, 0.2, 0.3]);
  });

  it('begins near the values where they lie close together far from zero, unless zero is asked for', () => {
    expect(linear([82, 95], false).ticks).toEqual([80, 85, 90, 95]);
    expect(linear([82, 95], true).ticks[0]).toBe(0);
    expect(linear([10, 95], false).ticks[0]).toBe(0);
  });

  it('stands for a single value, also for zero', () => {
    for (const value of [0, 7]) {
      const { ticks, at } = linear([value]);
      expect(ticks.length).toBeGreaterThan(1);
      expect(at(value)).toBeGreaterThanOrEqual(100);
      expect(at(value)).toBeLessThanOrEqual(500);
    }
  });

  it('goes below zero with its values', () => {
    expect(linear([-4, 6]).least).toBeLessThanOrEqual(-4);
    expect(linear([-12, -2]).ticks).toEqual([-15, -10, -5, 0]);
  });
});

describe('a logarithmic axis', () => {
  it('has 1, 2 and 5 of each decade between its values', () => {
    expect(logarithmic([100, 2_500]).ticks).toEqual([100, 200, 500, 1_000, 2_000, 5_000]);
  });

  it('has powers of ten where that would be too many', () => {
    expect(logarithmic([0.01, 50_000]).ticks).toEqual([0.01, 0.1, 1, 10, 100, 1_000, 10_000, 100_000]);
  });

  it('gives each factor the same length', () => {
    const axis = logarithmic([1, 100]);
    expect([1, 10, 100].map((value) => Math.round(axis.at(value)))).toEqual([0, 150, 300]);
  });

  it('does without what it cannot show', () => {
    expect(logarithmic([0, -3, 10, 100]).ticks).toEqual([10, 20, 50, 100]);
  });

  it('stands for a single value', () => {
    const axis = logarithmic([100]);
    expect(axis.ticks).toEqual([100, 200]);
    expect(axis.at(100)).toBe(0);
  });
});

describe('an axis of shares', () => {
  it('has a tick for each quarter', () => {
    const axis = shareAxis([400, 0]);
    expect(axis.ticks.map((share) => axis.at(share))).toEqual([400, 300, 200, 100, 0]);
  });
});
