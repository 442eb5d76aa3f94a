import { Daemon } from '../helpers/daemon';
import { eventually } from '../helpers/eventually';
import { httpRequest } from '../helpers/http-request';
import { MetricsText } from '../helpers/metrics-text';
import { describeWithPromtool, promtool } from '../helpers/promtool';

describeWithPromtool('the metrics of a daemon with a vibe on air', () => {
  let daemon: Daemon;
  beforeAll(async () => (daemon = await Daemon.start()), 30_000);
  afterAll(() => daemon.stop(), 30_000);

  const scrape = async (): Promise<string> => (await httpRequest(`${daemon.apiUrl}/metrics`)).body.toString();

  it('pass Prometheus’s own check, and tell about every process', async () => {
    // Two seconds of nothing, in one piece.
    await httpRequest(`${daemon.apiUrl}/stream/v/audio`, {
      method: 'POST',
      headers: { 'content-type': 'audio/pcm' },
      body: Buffer.alloc(2 * 192_000),
    });
    await eventually('it is on air', async () => {
      const metrics = new MetricsText(await scrape());
      return metrics.sum('vibesflow_samples_played_total') > 0 && metrics.sum('vibesflow_encoders') === 1;
    });
    const text = await scrape();
    const metrics = new MetricsText(text);
    for (const program of ['ffmpeg', 'media-server']) {
      expect(metrics.sum('vibesflow_program_processes', { program })).toBe(1);
      expect(metrics.sum('vibesflow_program_resident_memory_bytes', { program })).toBeGreaterThan(2 ** 20);
    }
    expect(metrics.sum('vibesflow_info', { media_server: 'embedded' })).toBe(1);
    expect(metrics.sum('vibesflow_vibes_by_signal')).toBe(1);
    await eventually('the media server has answered', async () => {
      const now = new MetricsText(await scrape());
      return now.sum('vibesflow_media_server_answer_seconds_count') > 0;
    });

    const { exitCode, stdout, stderr } = await promtool(['check', 'metrics'], Buffer.from(await scrape()));
    // Those of prom-client itself count in a unit of Node’s.
    const complaints = `${stdout.toString()}${stderr}`
      .split('\n')
      .filter((line) => line !== '' && !/^vibesflow_(nodejs|process)_/.test(line));
    expect(complaints).toEqual([]);
    expect([0, 3]).toContain(exitCode);
    await daemon.endVibe('v', { drain: false });
  }, 60_000);
});
