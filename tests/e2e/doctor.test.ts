import { run } from '../../src/cli/program';
import { CapturedOutput } from '../helpers/captured-output';
import { Daemon } from '../helpers/daemon';
import { FFMPEG } from '../helpers/ffmpeg';
import { freePort } from '../helpers/free-port';

interface Report {
  readonly ok: boolean;
  readonly failing: string | null;
  readonly checks: readonly { name: string; result: string; found: string; remedy?: string }[];
}

describe('vibesflow doctor --live', () => {
  let daemon: Daemon;
  afterEach(() => daemon.stop(), 30_000);

  const examine = async (env: Record<string, string> = {}): Promise<Report> => {
    const output = new CapturedOutput();
    const ports = {
      PORT: new URL(daemon.apiUrl).port,
      MEDIA_HTTP_PORT: new URL(daemon.mediaUrl).port,
      RTMP_PORT: `${daemon.rtmpPort}`,
      MEDIA_API_PORT: `${await freePort()}`,
    };
    const paths = { PATH: process.env['PATH'] ?? '', FFMPEG_PATH: FFMPEG === 'ffmpeg' ? '' : FFMPEG };
    const exitCode = await run(['doctor', '--live', '--json'], output, { ...paths, ...ports, ...env });
    const report = JSON.parse(output.stdout.text) as Report;
    expect(exitCode).toBe(report.ok ? 0 : 1);
    return report;
  };

  const live = ({ checks }: Report): string[] =>
    checks.filter(({ name }) => name.startsWith('live')).map(({ name, result }) => `${name}: ${result}`);

  it('hears its own tone by HTTP-FLV and HLS, and leaves nothing on air', async () => {
    daemon = await Daemon.start();
    const report = await examine();
    expect(live(report)).toEqual([
      'live: ingest: ok',
      'live: encoder: ok',
      'live: FLV at the media server: ok',
      'live: FLV: ok',
      'live: HLS: ok',
    ]);
    expect(report).toMatchObject({ ok: true, failing: null });
    expect((await daemon.metrics()).sumOrZero('vibesflow_vibes')).toBe(0);
  }, 60_000);

  it('tells a relay that plays from one whose listeners are sent the wrong way', async () => {
    daemon = await Daemon.start({ PLAYBACK_URL: `http://127.0.0.1:${await freePort()}` });
    const report = await examine();
    expect(live(report)).toEqual([
      'live: ingest: ok',
      'live: encoder: ok',
      'live: FLV at the media server: ok',
      'live: FLV: fail',
      'live: HLS: fail',
    ]);
    expect(report).toMatchObject({ ok: false, failing: 'live: FLV' });
    expect(report.checks.find(({ name }) => name === 'live: FLV')?.found).toContain('ECONNREFUSED');
  }, 60_000);

  it('names the ingest where no daemon runs', async () => {
    daemon = await Daemon.start();
    const report = await examine({ PORT: `${await freePort()}` });
    expect(report.failing).toMatch(/^port |^live: ingest$/);
    expect(live(report)).toEqual(['live: ingest: fail']);
  }, 60_000);
});
