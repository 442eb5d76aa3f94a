import { Counter, Gauge, type Registry } from 'prom-client';

/** What `/metrics` shows of the journal, and of what came back by it. */
export class JournalMetrics {
  readonly bytes: Gauge;
  readonly records: Counter;
  readonly faults: Counter;
  readonly damagedLines: Counter;
  readonly vibesRestored: Counter;
  readonly lostSeconds: Counter;
  readonly staleEncoders: Counter;

  constructor(registry: Registry) {
    const registers = [registry];
    const counter = (name: string, help: string): Counter => new Counter({ name, help, registers });
    this.bytes = new Gauge({ name: 'vibesflow_journal_bytes', help: 'Length of the journal', registers });
    this.records = counter('vibesflow_journal_records_total', 'Records written to the journal');
    this.faults = counter(
      'vibesflow_journal_faults_total',
      'Times that the journal could not be written: vibes would not have survived the daemon’s death',
    );
    this.damagedLines = counter(
      'vibesflow_journal_damaged_lines_total',
      'Lines of the journal that were torn or damaged when the daemon started, and were left out',
    );
    this.vibesRestored = counter(
      'vibesflow_vibes_restored_total',
      'Vibes that went on after the daemon had been killed',
    );
    this.lostSeconds = counter(
      'vibesflow_restored_lost_seconds_total',
      'Accepted audio that a killed daemon held and had not played, as far as its journal knew',
    );
    this.staleEncoders = counter(
      'vibesflow_stale_encoders_total',
      'FFmpeg processes of a killed daemon that were still there, and were ended',
    );
  }
}
