import { Metrics } from '../../src/base/metrics';
import { MetricsText } from '../helpers/metrics-text';

describe('the metrics', () => {
  it('lets everybody set their gauges just before they are read', async () => {
    const metrics = new Metrics();
    let reads = 0;
    metrics.onScrape(() => metrics.participants.set((reads += 1)));
    expect(await metrics.registry.metrics()).toContain('vibesflow_participants 1');
    expect(await metrics.registry.metrics()).toContain('vibesflow_participants 2');
  });

  it('count what doors took when they are read, once', async () => {
    const metrics = new Metrics();
    metrics.taken.count('websocket', 3_840);
    metrics.taken.count('websocket', 100);
    metrics.taken.count('pcm', 7);
    for (const wanted of [3_940, 4_000]) {
      const text = await metrics.registry.metrics();
      expect(text).toContain(`vibesflow_ingest_bytes_total{door="websocket"} ${wanted}`);
      expect(text).toContain(`vibesflow_ingest_chunks_total{door="pcm",result="taken"} 1`);
      metrics.taken.count('websocket', 60);
    }
    expect(await metrics.registry.metrics()).toContain('chunks_total{door="websocket",result="taken"} 4');
  });

  it('show counters of what may go wrong before it does: the first time must be seen as an increase', async () => {
    const metrics = new Metrics();
    metrics.expect(metrics.encoderExits, 'reason', ['killed']);
    metrics.encoderExits.inc({ reason: 'crashed' });
    const text = await metrics.registry.metrics();
    expect(text).toContain('vibesflow_encoder_exits_total{reason="killed"} 0\n');
    expect(text).toContain('vibesflow_encoder_exits_total{reason="crashed"} 1\n');
    expect(text).toContain('vibesflow_vibes_ended_total{cause="failed"} 0\n');
    expect(text).toContain('vibesflow_problems_total{code="internal-error"} 0\n');
  });

  it('show what the processes of a program use', async () => {
    const metrics = new Metrics();
    let pids = [process.pid];
    metrics.watchProgram('jest', () => pids);
    const first = new MetricsText(await metrics.registry.metrics());
    const jest = { program: 'jest' };
    expect(first.sum('vibesflow_program_processes', jest)).toBe(1);
    expect(first.sum('vibesflow_program_resident_memory_bytes', jest)).toBeGreaterThan(10 * 2 ** 20);
    const cpu = first.sum('vibesflow_program_cpu_seconds_total', jest);
    expect(cpu).toBeGreaterThan(0.1);
    pids = [];
    const second = new MetricsText(await metrics.registry.metrics());
    expect(second.sum('vibesflow_program_processes', jest)).toBe(0);
    expect(second.sum('vibesflow_program_cpu_seconds_total', jest)).toBe(cpu);
  });

  it('say what runs, and forget what ran', async () => {
    const metrics = new Metrics();
    let version = '7.0.18';
    metrics.watchVersions('1.2.3', () => ({ kind: 'srs', version }));
    await metrics.registry.metrics();
    version = '7.0.162';
    const text = await metrics.registry.metrics();
    expect(text.match(/^vibesflow_info\{.*\} 1$/gm)).toEqual([
      `vibesflow_info{version="1.2.3",node="${process.versions.node}",media_server="srs",media_server_version="7.0.162"} 1`,
    ]);
  });

  it('name counters by what they count, in full, and never by a vibe', async () => {
    for (const metric of await new Metrics().registry.getMetricsAsJSON()) {
      expect(metric.name).toMatch(/^vibesflow_[a-z0-9_]+$/);
      if (String(metric.type) === 'counter') expect(metric.name).toMatch(/_total$/);
      expect(JSON.stringify(metric.values)).not.toContain('vibeId');
    }
  });
});
