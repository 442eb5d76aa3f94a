import os from 'node:os';
import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';
import { PROBLEMS } from './errors';
import { JournalMetrics } from './journal-metrics';
import { ProgramMeter } from './process-usage';
import { TakenTally } from './taken-tally';

/** Everything that `/metrics` shows. One instance a daemon; no metric has a vibe id as a label. */
export class Metrics {
  readonly registry = new Registry();
  readonly #scrapers: (() => void)[] = [];

  /** Stands first: a scrape asks it first, and it lets everybody bring their gauges up to date. */
  readonly vibes = new Gauge({
    name: 'vibesflow_vibes',
    help: 'Vibes by state',
    labelNames: ['state'],
    registers: [this.registry],
    collect: () => this.#scrapers.forEach((scraper) => scraper()),
  });
  /** What is heard: a vibe can be live and silent. */
  readonly vibesBySignal = this.#gauge(
    'vibesflow_vibes_by_signal',
    'Vibes by what goes out: ok, quiet, silent, or filling where silence stands in for the creator',
    ['signal'],
  );
  readonly vibesLimit = this.#gauge('vibesflow_vibes_limit', 'Vibes that there may be at once (MAX_STREAMS)');
  readonly draining = this.#gauge('vibesflow_draining', '1 while the relay stops and takes no new audio');
  readonly vibesStarted = this.#counter('vibesflow_vibes_started_total', 'Vibes started');
  readonly vibesEnded = this.#counter('vibesflow_vibes_ended_total', 'Vibes ended, by cause', ['cause']);
  readonly participants = this.#gauge('vibesflow_participants', 'Leases held by participants');
  readonly listeners = this.#gauge('vibesflow_listeners', 'Players connected to the media server');

  /** Chunks that were taken, and their bytes, on their way into the next two, which settle it when they are read. */
  readonly taken = new TakenTally((door, { chunks, bytes }) => {
    this.ingestChunks.inc({ door, result: 'taken' }, chunks);
    this.ingestBytes.inc({ door }, bytes);
  });
  readonly ingestBytes = this.#counter(
    'vibesflow_ingest_bytes_total',
    'Audio bytes accepted, by door',
    ['door'],
    this.taken.settle,
  );
  readonly ingestChunks = this.#counter(
    'vibesflow_ingest_chunks_total',
    'Chunks by door and result',
    ['door', 'result'],
    this.taken.settle,
  );
  readonly ingestTruncatedBytes = this.#counter(
    'vibesflow_ingest_truncated_bytes_total',
    'Bytes that creators announced or began and never sent whole',
  );
  readonly ingestConnections = this.#gauge(
    'vibesflow_ingest_connections',
    'Creators’ open connections, by door',
    ['door'],
  );
  readonly takeovers = this.#counter(
    'vibesflow_takeovers_total',
    'Connections superseded by the same creator’s newer one',
  );

  /** Conservation: accepted = played + buffered + discarded. All in samples of one channel at the creator’s rate. */
  readonly samplesAccepted = this.#counter(
    'vibesflow_samples_accepted_total',
    'Samples accepted by the ingest doors',
  );
  readonly samplesPlayed = this.#counter(
    'vibesflow_samples_played_total',
    'Accepted samples handed to encoders',
  );
  readonly samplesSilence = this.#counter(
    'vibesflow_samples_silence_total',
    'Samples of silence handed to encoders',
  );
  readonly samplesDiscarded = this.#counter(
    'vibesflow_samples_discarded_total',
    'Accepted samples that were never handed to an encoder, by reason',
    ['reason'],
  );
  readonly samplesLost = this.#counter(
    'vibesflow_samples_lost_total',
    'Samples handed to an encoder that died before it published them, and to no successor, by reason',
    ['reason'],
  );
  readonly samplesReplayed = this.#counter(
    'vibesflow_samples_replayed_total',
    'Samples that an encoder was fed because its predecessor died before it published them',
  );
  readonly chunksMissing = this.#counter(
    'vibesflow_chunks_missing_total',
    'Numbered chunks that never came in time',
  );
  readonly bufferedSeconds = this.#gauge('vibesflow_buffered_seconds', 'Audio held in all jitter buffers');
  readonly bufferedMax = this.#gauge(
    'vibesflow_buffered_max_seconds',
    'Audio held in the fullest jitter buffer',
  );
  readonly bufferLimit = this.#gauge(
    'vibesflow_buffer_limit_seconds',
    'Audio that a jitter buffer holds before the doors push back (MAX_BUFFER_SECONDS)',
  );
  readonly bufferedOnArrival = this.#histogram(
    'vibesflow_buffered_on_arrival_seconds',
    'Audio still held when the next chunk came: near zero a creator is about to be late',
    [0, 0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5, 10, 20, 30],
  );
  readonly underruns = this.#counter('vibesflow_underruns_total', 'Times that a jitter buffer ran empty');
  readonly pacerLateness = this.#histogram(
    'vibesflow_pacer_lateness_seconds',
    'How late a tick of the pacer came',
    [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 1],
  );

  readonly encoders = this.#gauge('vibesflow_encoders', 'Encoders by state', ['state']);
  readonly encoderStarts = this.#counter('vibesflow_encoder_starts_total', 'FFmpeg processes started');
  readonly encoderExits = this.#counter(
    'vibesflow_encoder_exits_total',
    'FFmpeg processes ended, by reason',
    ['reason'],
  );

  readonly mediaServerUp = this.#gauge('vibesflow_media_server_up', '1 while the media server answers');
  readonly mediaServerRestarts = this.#counter(
    'vibesflow_media_server_restarts_total',
    'Media server restarts',
  );
  readonly mediaServerAnswer = this.#histogram(
    'vibesflow_media_server_answer_seconds',
    'How long the media server took to answer the relay when asked how it is',
    [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5],
  );
  readonly listenersCut = this.#counter(
    'vibesflow_listeners_cut_total',
    'Players cut by the media server, by reason',
    ['reason'],
  );

  readonly srsHooks = this.#counter(
    'vibesflow_srs_hooks_total',
    'Hooks that SRS called, by action and result',
    ['action', 'result'],
  );
  readonly srsHookSeconds = this.#histogram(
    'vibesflow_srs_hook_seconds',
    'How long SRS waited for the answer to a hook',
    [0.0005, 0.001, 0.002, 0.005, 0.01, 0.025, 0.1, 0.5],
  );
  readonly srsPolls = this.#counter('vibesflow_srs_api_polls_total', 'Looks at SRS’s API, by result', [
    'result',
  ]);
  readonly srsProbes = this.#counter(
    'vibesflow_srs_probes_total',
    'Probes of what was published to SRS, by what they heard',
    ['result'],
  );
  readonly srsKicks = this.#counter(
    'vibesflow_srs_kicks_total',
    'Connections that SRS was told to end, by reason',
    ['reason'],
  );
  readonly srsGhosts = this.#counter(
    'vibesflow_srs_ghost_busy_total',
    'Times that SRS held a stream’s name busy for nobody: it frees it only when it is restarted',
  );

  readonly rtcSessions = this.#gauge('vibesflow_rtc_sessions', 'Browsers that send (whip) or listen (whep)', [
    'door',
  ]);
  readonly rtcRequests = this.#counter(
    'vibesflow_rtc_requests_total',
    'WHIP and WHEP requests by result: accepted, or the code of the refusal',
    ['door', 'result'],
  );
  readonly whipPacketsLost = this.#counter(
    'vibesflow_whip_packets_lost_total',
    'Packets of browsers that never came: silence stood in for them',
  );
  readonly whepFeeders = this.#gauge('vibesflow_whep_feeders', 'Vibes that are copied for browsers to hear');

  readonly httpRequests = this.#counter('vibesflow_http_requests_total', 'HTTP answers by route and status', [
    'route',
    'status',
  ]);
  readonly problems = this.#counter(
    'vibesflow_problems_total',
    'Refusals of all doors, WebSockets included, by the code that the client got',
    ['code'],
  );

  /** What outlives the daemon's death. */
  readonly journal = new JournalMetrics(this.registry);

  /** The programs that the daemon runs; its own use is in `vibesflow_process_*`. */
  readonly programProcesses = this.#gauge('vibesflow_program_processes', 'Processes by program', ['program']);
  readonly programCpu = this.#counter(
    'vibesflow_program_cpu_seconds_total',
    'CPU time by program, as last seen of each process',
    ['program'],
  );
  readonly programMemory = this.#gauge(
    'vibesflow_program_resident_memory_bytes',
    'Resident memory by program',
    ['program'],
  );
  readonly cpuCores = this.#gauge(
    'vibesflow_cpu_cores',
    'CPU cores that the daemon and its programs may use',
  );
  readonly info = this.#gauge('vibesflow_info', 'Always 1; the labels say what runs', [
    'version',
    'node',
    'media_server',
    'media_server_version',
  ]);

  constructor() {
    this.cpuCores.set(os.availableParallelism());
    this.expect(this.vibesEnded, 'cause', ['ended', 'failed']);
    this.expect(this.samplesDiscarded, 'reason', [
      'ended-without-drain',
      'not-played-in-time',
      'vibe-failed',
    ]);
    this.expect(this.listenersCut, 'reason', ['slow']);
    this.expect(this.srsPolls, 'result', ['answered', 'refused', 'silent', 'wrong']);
    this.expect(this.srsProbes, 'result', ['heard', 'unheard']);
    this.expect(this.problems, 'code', Object.keys(PROBLEMS));
    collectDefaultMetrics({
      register: this.registry,
      prefix: 'vibesflow_',
      eventLoopMonitoringPrecision: 10,
    });
  }

  /**
   * Shows a counter as 0 for label values that are known beforehand. One that appears with its first event looks to
   * Prometheus as if it had always been there: `increase()` misses the very event that an alert waits for.
   */
  expect(counter: Counter, label: string, values: readonly string[]): void {
    for (const value of values) counter.inc({ [label]: value }, 0);
  }

  /** Registers what sets gauges just before they are read. */
  onScrape(scraper: () => void): void {
    this.#scrapers.push(scraper);
  }

  /**
   * Shows what a program's processes use, from the next scrape on.
   * @param program a word for it, such as `ffmpeg`
   * @param pids asked for its processes at each scrape
   */
  watchProgram(program: string, pids: () => readonly number[]): void {
    const meter = new ProgramMeter();
    let counted = 0;
    this.onScrape(() => {
      const { processes, cpuSeconds, residentBytes } = meter.read(pids());
      this.programProcesses.set({ program }, processes);
      this.programCpu.inc({ program }, cpuSeconds - counted);
      this.programMemory.set({ program }, residentBytes);
      counted = cpuSeconds;
    });
  }

  /** Shows what runs, at each scrape: the media server may be another one after a restart of its own. */
  watchVersions(
    version: string,
    mediaServer: () => { readonly kind: string; readonly version: string },
  ): void {
    this.onScrape(() => {
      const { kind, version: itsVersion } = mediaServer();
      this.info.reset();
      const node = process.versions.node;
      this.info.set({ version, node, media_server: kind, media_server_version: itsVersion }, 1);
    });
  }

  #counter(name: string, help: string, labelNames: string[] = [], collect?: () => void): Counter {
    return new Counter({ name, help, labelNames, registers: [this.registry], collect });
  }

  #gauge(name: string, help: string, labelNames: string[] = []): Gauge {
    return new Gauge({ name, help, labelNames, registers: [this.registry] });
  }

  #histogram(name: string, help: string, buckets: number[]): Histogram {
    return new Histogram({ name, help, buckets, registers: [this.registry] });
  }
}
