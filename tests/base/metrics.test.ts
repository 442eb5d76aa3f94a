import { Metrics } from '../../src/base/metrics';

describe('the metrics', () => {
  it('lets everybody set their gauges just before they are read', async () => {
    const metrics = new Metrics();
    let reads = 0;
    metrics.onScrape(() => metrics.participants.set((reads += 1)));
    expect(await metrics.registry.metrics()).toContain('vibesflow_participants 1');
    expect(await metrics.registry.metrics()).toContain('vibesflow_participants 2');
  });

  it('name counters by what they count, in full, and never by a vibe', async () => {
    for (const metric of await new Metrics().registry.getMetricsAsJSON()) {
      expect(metric.name).toMatch(/^vibesflow_[a-z0-9_]+$/);
      if (String(metric.type) === 'counter') expect(metric.name).toMatch(/_total$/);
      expect(JSON.stringify(metric.values)).not.toContain('vibeId');
    }
  });
});
