import pino from 'pino';
import { settlesWithin, systemClock } from './clock';
import { LogWriter } from './log-writer';

export type Logger = pino.Logger;
export type LogLevel = 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'fatal' | 'silent';

/** Hides the values of `token=`, `secret=` and `key=` in a URL or a command line. */
export function redact(text: string): string {
  return text.replace(/\b(token|secret|key|ownerKey)=[^&\s"']+/gi, '$1=***');
}

const STDOUT = 1;
/** What is not read by then is not read at all. */
const WRITTEN_WITHIN_MS = 1_000;
/** One for all loggers: lines come out in the order in which they were logged. */
const stdout = new LogWriter(STDOUT);

/** Resolves when the log is written, or nobody reads it; after a second at the latest. Before a process ends. */
export async function logWritten(): Promise<void> {
  await settlesWithin(systemClock, WRITTEN_WITHIN_MS, stdout.written());
}

/** Writes what it can of the log at once. For the end of a process that cannot go on. */
export function writeLogNow(): void {
  stdout.writeNow();
}

/**
 * The daemon's log: one JSON line (or one readable line) an event, on standard output.
 * Credentials in well-known places are replaced before they are written.
 */
export function createLogger(options: { level: LogLevel; format: 'json' | 'pretty' }): Logger {
  const settings: pino.LoggerOptions = {
    level: options.level,
    base: undefined,
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label) => ({ level: label }) },
    redact: {
      paths: ['authorization', 'cookie', 'ownerKey', '*.authorization', '*.cookie', '*.ownerKey', '*.token'],
      censor: '***',
    },
  };
  if (options.format === 'json') return pino(settings, stdout);
  return pino({
    ...settings,
    formatters: {},
    transport: {
      target: 'pino-pretty',
      options: { ignore: 'pid,hostname', singleLine: true, translateTime: 'SYS:HH:MM:ss.l' },
    },
  });
}
