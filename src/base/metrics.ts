import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';

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
  readonly vibesStarted = this.#counter('vibesflow_vibes_started_total', 'Vibes started');
  readonly vibesEnded = this.#counter('vibesflow_vibes_ended_total', 'Vibes ended, by cause', ['cause']);
  readonly participants = this.#gauge('vibesflow_participants', 'Leases held by participants');
  readonly listeners = this.#gauge('vibesflow_listeners', 'Players connected to the media server');

  readonly ingestBytes = this.#counter('vibesflow_ingest_bytes_total', 'Audio bytes accepted, by door', [
    'door',
  ]);
  readonly ingestChunks = this.#counter('vibesflow_ingest_chunks_total', 'Chunks by door and result', [
    'door',
    'result',
  ]);
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
    'Samples handed to an encoder that died before it published them, by reason',
    ['reason'],
  );
  readonly chunksMissing = this.#counter(
    'vibesflow_chunks_missing_total',
    'Numbered chunks that never came in time',
  );
  readonly bufferedSeconds = this.#gauge('vibesflow_buffered_seconds', 'Audio held in all jitter buffers');
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
  readonly listenersCut = this.#counter(
    'vibesflow_listeners_cut_total',
    'Players cut by the media server, by reason',
    ['reason'],
  );

  readonly httpRequests = this.#counter('vibesflow_http_requests_total', 'HTTP answers by route and status', [
    'route',
    'status',
  ]);

  constructor() {
    collectDefaultMetrics({
      register: this.registry,
      prefix: 'vibesflow_',
      eventLoopMonitoringPrecision: 10,
    });
  }

  /** Registers what sets gauges just before they are read. */
  onScrape(scraper: () => void): void {
    this.#scrapers.push(scraper);
  }

  #counter(name: string, help: string, labelNames: string[] = []): Counter {
    return new Counter({ name, help, labelNames, registers: [this.registry] });
  }

  #gauge(name: string, help: string, labelNames: string[] = []): Gauge {
    return new Gauge({ name, help, labelNames, registers: [this.registry] });
  }

  #histogram(name: string, help: string, buckets: number[]): Histogram {
    return new Histogram({ name, help, buckets, registers: [this.registry] });
  }
}
