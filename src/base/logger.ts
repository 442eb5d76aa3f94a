import pino from 'pino';

export type Logger = pino.Logger;
export type LogLevel = 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'fatal' | 'silent';

/** Hides the values of `token=`, `secret=` and `key=` in a URL or a command line. */
export function redact(text: string): string {
  return text.replace(/\b(token|secret|key|ownerKey)=[^&\s"']+/gi, '$1=***');
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
  if (options.format === 'json') return pino(settings);
  return pino({
    ...settings,
    formatters: {},
    transport: {
      target: 'pino-pretty',
      options: { ignore: 'pid,hostname', singleLine: true, translateTime: 'SYS:HH:MM:ss.l' },
    },
  });
}
