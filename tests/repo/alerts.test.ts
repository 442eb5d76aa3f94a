import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describeWithPromtool, promtool, type Series, testAlerts } from '../helpers/promtool';
import { ROOT } from '../helpers/sources';

const RULES = path.join(ROOT, 'monitoring/alerts.yml');
const ALERTS = [...readFileSync(RULES, 'utf8').matchAll(/^ +- alert: (\w+)$/gm)].map(
  ([, name]) => name as string,
);

const AT = 'instance="127.0.0.1:3001",job="vibesflow"';
/** A series of the relay's, with its labels and those that Prometheus adds. */
const of = (name: string, labels = ''): string => `vibesflow_${name}{${labels ? `${labels},` : ''}${AT}}`;
/** The same value for half an hour, looked at every 15 s. */
const steady = (value: number): string => `${value}+0x120`;
/** A counter that grows by so much every 15 s. */
const growing = (step: number): string => `0+${step}x120`;
/** A counter that stands still, grows once in the twelfth minute, and stands again. */
const once = (by: number): string => `0+0x47 ${by}+0x72`;
/** A histogram of which the given share lies below each bound; the rest above all. Looked at every second. */
const histogram = (name: string, shares: Readonly<Record<string, number>>): Series => ({
  ...Object.fromEntries(
    Object.entries(shares).map(([le, share]) => [of(`${name}_bucket`, `le="${le}"`), growing(share * 15)]),
  ),
  [of(`${name}_bucket`, 'le="+Inf"')]: growing(15),
});

/** Ten vibes with some listeners on two cores, and nothing the matter. */
const HEALTHY: Series = {
  [`up{${AT}}`]: steady(1),
  [of('process_start_time_seconds')]: steady(1_700_000_000),
  [of('vibes', 'state="live"')]: steady(9),
  [of('vibes', 'state="holding"')]: steady(1),
  [of('vibes_limit')]: steady(200),
  [of('vibes_by_signal', 'signal="ok"')]: steady(9),
  [of('vibes_by_signal', 'signal="filling"')]: steady(1),
  [of('vibes_ended_total', 'cause="ended"')]: growing(1),
  [of('vibes_ended_total', 'cause="failed"')]: steady(3),
  [of('problems_total', 'code="internal-error"')]: steady(2),
  [of('problems_total', 'code="buffer-full"')]: growing(1),
  [of('underruns_total')]: growing(2),
  [of('samples_lost_total', 'reason="killed"')]: steady(4_096),
  [of('samples_discarded_total', 'reason="ended-without-drain"')]: growing(48_000),
  [of('samples_discarded_total', 'reason="vibe-failed"')]: steady(100),
  [of('listeners')]: steady(50),
  [of('listeners_cut_total', 'reason="slow"')]: growing(0.1),
  [of('encoders', 'state="running"')]: steady(10),
  [of('encoder_exits_total', 'reason="ended"')]: growing(1),
  [of('encoder_exits_total', 'reason="killed"')]: steady(1),
  [of('media_server_up')]: steady(1),
  [of('media_server_restarts_total')]: steady(1),
  [of('srs_api_polls_total', 'result="answered"')]: growing(15),
  [of('srs_ghost_busy_total')]: steady(2),
  ...histogram('media_server_answer_seconds', { '0.01': 0.95, '0.25': 1 }),
  ...histogram('pacer_lateness_seconds', { '0.002': 0.9, '0.01': 0.995, '0.02': 1 }),
  [of('nodejs_eventloop_lag_p99_seconds')]: steady(0.012),
  [of('process_cpu_seconds_total')]: growing(3),
  [of('program_cpu_seconds_total', 'program="ffmpeg"')]: growing(6),
  [of('program_cpu_seconds_total', 'program="media-server"')]: growing(3),
  [of('cpu_cores')]: steady(2),
  [of('process_resident_memory_bytes')]: steady(200e6),
  [of('process_open_fds')]: steady(900),
  [of('process_max_fds')]: steady(20_000),
};

/** What makes each alert fire, and what comes close to it and does not: both in a house that is healthy otherwise. */
const EXAMPLES: Readonly<Record<string, { fires: Series; after?: string; silent: Series }>> = {
  VibesflowDown: {
    fires: { [`up{${AT}}`]: '1+0x60 0+0x60' },
    // One scrape is missed.
    silent: { [`up{${AT}}`]: '1+0x79 0 1+0x40' },
  },
  VibesflowRestartLoop: {
    fires: { [of('process_start_time_seconds')]: '1+0x40 2+0x10 3+0x10 4+0x50' },
    silent: { [of('process_start_time_seconds')]: '1+0x40 2+0x10 3+0x60' },
  },
  VibesflowVibeFailed: {
    fires: { [of('vibes_ended_total', 'cause="failed"')]: once(1) },
    silent: { [of('vibes_ended_total', 'cause="failed"')]: '0+0x19 1+0x100' },
  },
  VibesflowNearlyFull: {
    fires: { [of('vibes', 'state="live"')]: steady(190) },
    silent: { [of('vibes', 'state="live"')]: steady(179) },
  },
  VibesflowInternalErrors: {
    fires: { [of('problems_total', 'code="internal-error"')]: once(1) },
    silent: { [of('problems_total', 'code="vibe-not-found"')]: growing(5) },
  },
  VibesflowSilenceOnAir: {
    fires: { [of('vibes_by_signal', 'signal="silent"')]: '0+0x60 1+0x60' },
    // A pause between two songs.
    silent: { [of('vibes_by_signal', 'signal="silent"')]: '0+0x77 1 1 0+0x40' },
  },
  VibesflowUnderruns: {
    fires: { [of('underruns_total')]: growing(7) },
    silent: { [of('underruns_total')]: growing(4) },
  },
  VibesflowSamplesLost: {
    fires: { [of('samples_lost_total', 'reason="stalled"')]: once(9_600) },
    silent: { [of('samples_lost_total', 'reason="ended"')]: once(1_024) },
  },
  VibesflowSamplesDiscarded: {
    fires: { [of('samples_discarded_total', 'reason="not-played-in-time"')]: once(48_000) },
    silent: { [of('samples_discarded_total', 'reason="ended-without-drain"')]: once(480_000) },
  },
  VibesflowCreatorsPushedBack: {
    fires: { [of('problems_total', 'code="buffer-full"')]: growing(15) },
    silent: { [of('problems_total', 'code="buffer-full"')]: growing(6) },
  },
  VibesflowListenersCut: {
    fires: { [of('listeners_cut_total', 'reason="slow"')]: growing(0.5) },
    silent: { [of('listeners_cut_total', 'reason="slow"')]: growing(0.25) },
  },
  VibesflowEncodersFailing: {
    fires: { [of('encoders', 'state="backoff"')]: '0+0x70 1+0x50' },
    // One restart.
    silent: { [of('encoders', 'state="backoff"')]: '0+0x78 1 0+0x40' },
  },
  VibesflowEncoderRestarts: {
    fires: { [of('encoder_exits_total', 'reason="output-failed"')]: growing(0.2) },
    silent: { [of('encoder_exits_total', 'reason="stopped"')]: growing(5) },
  },
  VibesflowMediaServerDown: {
    fires: { [of('media_server_up')]: '1+0x70 0+0x50' },
    silent: { [of('media_server_up')]: '1+0x78 0 1+0x40' },
  },
  VibesflowMediaServerRestarts: {
    fires: { [of('media_server_restarts_total')]: growing(0.1) },
    silent: { [of('media_server_restarts_total')]: once(1) },
  },
  VibesflowMediaServerSlow: {
    fires: histogram('media_server_answer_seconds', { '0.01': 0.5, '0.25': 0.8, '1': 1 }),
    silent: histogram('media_server_answer_seconds', { '0.01': 0.5, '0.25': 0.95, '1': 1 }),
  },
  VibesflowSrsGhostBusy: {
    fires: { [of('srs_ghost_busy_total')]: once(1) },
    silent: { [of('srs_ghost_busy_total')]: steady(1) },
  },
  VibesflowSrsUnheard: {
    fires: { [of('srs_probes_total', 'result="unheard"')]: growing(0.1) },
    silent: { [of('srs_probes_total', 'result="unheard"')]: once(1) },
  },
  VibesflowSrsHooksSlow: {
    fires: histogram('srs_hook_seconds', { '0.005': 0.9, '0.025': 0.95, '0.1': 0.999 }),
    silent: histogram('srs_hook_seconds', { '0.005': 0.9, '0.025': 0.995, '0.1': 0.999 }),
  },
  VibesflowSrsApiUnanswered: {
    fires: { [of('srs_api_polls_total', 'result="silent"')]: growing(4) },
    silent: { [of('srs_api_polls_total', 'result="silent"')]: growing(2) },
  },
  VibesflowPacerLate: {
    fires: histogram('pacer_lateness_seconds', { '0.002': 0.9, '0.01': 0.95, '0.02': 0.97, '0.05': 1 }),
    silent: histogram('pacer_lateness_seconds', { '0.002': 0.9, '0.01': 0.97, '0.02': 0.995, '0.05': 1 }),
  },
  VibesflowEventLoopBlocked: {
    fires: { [of('nodejs_eventloop_lag_p99_seconds')]: steady(0.15) },
    silent: { [of('nodejs_eventloop_lag_p99_seconds')]: '0.01+0x70 0.3 0.3 0.01+0x40' },
  },
  VibesflowCpuSaturated: {
    fires: { [of('program_cpu_seconds_total', 'program="ffmpeg"')]: growing(22) },
    silent: { [of('program_cpu_seconds_total', 'program="ffmpeg"')]: growing(17) },
  },
  VibesflowMemoryHigh: {
    fires: { [of('process_resident_memory_bytes')]: steady(1.4e9) },
    silent: { [of('process_resident_memory_bytes')]: steady(1.2e9) },
  },
  VibesflowDescriptorsRunningOut: {
    fires: { [of('process_open_fds')]: steady(17_000) },
    silent: { [of('process_open_fds')]: steady(15_000) },
  },
};

describeWithPromtool('the alerts', () => {
  it('are rules that Prometheus takes', async () => {
    const { exitCode, stdout, stderr } = await promtool(['check', 'rules', '--lint-fatal', RULES]);
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
    expect(stdout.toString()).toContain(`${ALERTS.length} rules found`);
  });

  it('are part of a configuration that Prometheus takes', async () => {
    const file = path.join(ROOT, 'monitoring/prometheus.yml');
    expect(await promtool(['check', 'config', file])).toMatchObject({ exitCode: 0 });
  });

  it('each have an example that fires alone and one that stays silent', async () => {
    expect(Object.keys(EXAMPLES).sort()).toEqual([...ALERTS].sort());
    const cases = Object.entries(EXAMPLES).flatMap(([alert, { fires, silent }]) => [
      { name: `${alert} fires`, series: { ...HEALTHY, ...fires }, after: '20m', firing: [alert] },
      { name: `${alert} stays silent`, series: { ...HEALTHY, ...silent }, after: '20m', firing: [] },
    ]);
    const { exitCode, stdout, stderr } = await testAlerts(RULES, [
      { name: 'all is well', series: HEALTHY, after: '20m', firing: [] },
      { name: 'Prometheus sees no relay at all', series: {}, after: '20m', firing: ['VibesflowDown'] },
      ...cases,
    ]);
    expect(`${stdout.toString()}${stderr}`).not.toContain('FAILED');
    expect(exitCode).toBe(0);
  }, 120_000);
});
