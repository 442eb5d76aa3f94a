import { Metrics } from '../../src/base/metrics';

/** What a metric of ours may be counted in, where it is not a count of the things that its name says. */
const UNITS = /_(seconds|bytes|ratio)$/;

describe('the metrics', () => {
  const metrics = new Metrics();
  const own = metrics.registry
    .getMetricsAsArray()
    .filter(({ name }) => !/^vibesflow_(process|nodejs)_/.test(name)) as unknown as {
    name: string;
    help: string;
    type: string;
    labelNames: string[];
  }[];

  afterAll(() => metrics.registry.clear());

  it('are there at all', () => {
    expect(own.length).toBeGreaterThan(10);
  });

  it('begin with vibesflow_ and say what they are', () => {
    for (const { name, help } of own) {
      expect(name).toMatch(/^vibesflow_[a-z0-9_]+$/);
      expect(help).toMatch(/^\S.{5,}/);
    }
  });

  it('end in _total where they only ever grow, and nowhere else', () => {
    const misnamed = own.filter(({ name, type }) => name.endsWith('_total') !== (type === 'counter'));
    expect(misnamed.map(({ name }) => name)).toEqual([]);
  });

  it('end in their unit where they measure', () => {
    const misnamed = own.filter(({ name, type }) => type === 'histogram' && !UNITS.test(name));
    expect(misnamed.map(({ name }) => name)).toEqual([]);
  });

  it('have no label whose values have no bound, such as a vibe’s id', () => {
    const unbounded = /vibe|creator|participant|client|address|^ip$|^id$|url|path/i;
    expect(own.flatMap(({ labelNames }) => labelNames).filter((label) => unbounded.test(label))).toEqual([]);
  });
});
