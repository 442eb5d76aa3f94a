import { bucketQuantile, type Buckets, bucketsBetween, bucketsOf } from '../../bench/on-air/buckets';
import { machineSeconds } from '../../bench/on-air/machine-time';
import { MetricsText } from '../helpers/metrics-text';

describe('a histogram in a scrape', () => {
  const scrape = (counts: readonly number[]): Buckets =>
    bucketsOf(
      new MetricsText(
        ['0.01', '0.02', '+Inf', '0.001']
          .map((le, index) => `late_seconds_bucket{le="${le}"} ${counts[index]}`)
          .join('\n'),
      ),
      'late_seconds',
    );

  it('is read in the order of its bounds', () => {
    expect(scrape([5, 6, 7, 1])).toEqual([
      [0.001, 1],
      [0.01, 5],
      [0.02, 6],
      [Infinity, 7],
    ]);
  });

  it('tells what came between two scrapes', () => {
    const between = bucketsBetween(scrape([5, 6, 7, 1]), scrape([9, 16, 17, 1]));
    expect(between.map(([, count]) => count)).toEqual([0, 4, 10, 10]);
  });

  it('gives quantiles on the line between two bounds, as Prometheus does', () => {
    const buckets = scrape([90, 100, 100, 0]);
    expect(bucketQuantile(buckets, 0.95)).toBeCloseTo(0.015, 6);
    expect(bucketQuantile(buckets, 0.45)).toBeCloseTo(0.0055, 6);
  });

  it('says no more than its highest bound, and nothing of nothing', () => {
    expect(bucketQuantile(scrape([0, 1, 100, 0]), 0.99)).toBe(0.02);
    expect(bucketQuantile(scrape([0, 0, 0, 0]), 0.99)).toBeNaN();
  });
});

describe('the time of a machine', () => {
  it('counts waiting for disks as idle, and guests once', () => {
    const stat = 'cpu  100 10 40 600 50 0 20 80 30 5\ncpu0 1 1 1 1 1 1 1 1 1 1\n';
    expect(machineSeconds(stat)).toEqual({ all: 9, idle: 6.5, stolen: 0.8 });
  });
});
