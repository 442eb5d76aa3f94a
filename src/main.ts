import { type App, startApp } from './app';
import { systemClock } from './base/clock';
import { type Config, loadConfig } from './base/config';
import { OperatorError } from './base/errors';
import { collectSeldom } from './base/heap';
import { createLogger, type Logger, logWritten, writeLogNow } from './base/logger';

export interface DaemonOptions {
  /** The environment to read the settings from. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Told when everything listens. */
  readonly onReady?: (config: Config) => void;
}

/** By the usual rule: 128 and the number of the signal. */
const EXIT_SECOND_SIGNAL = 130;
/** Under npm one Ctrl-C arrives twice, from the terminal and from npm: within this it is the same wish. */
const SAME_WISH_MS = 300;
/** When a part does not close, the process must not stay for ever. Above the drain budget and every part's own bounds. */
const CLOSE_WITHIN_MS = 25_000;

/**
 * Runs the daemon until SIGINT or SIGTERM. The first signal drains, a second one ends the process at once.
 * @returns the exit code: 0 after a clean stop, an `OperatorError`'s where it could not start (one line on stderr)
 */
export async function runDaemon(options: DaemonOptions): Promise<number> {
  collectSeldom();
  let logger: Logger | undefined;
  try {
    const config = loadConfig(options.env, { isTerminal: process.stdout.isTTY });
    logger = createLogger({ level: config.logLevel, format: config.logFormat });
    dieOnSurprises(logger);
    const signal = firstSignal();
    const app = await startApp({ config, logger, env: options.env });
    logger.info(
      { port: config.port, mediaHttpPort: config.mediaHttpPort, rtmpPort: config.rtmpPort },
      'ready',
    );
    process.send?.('ready');
    options.onReady?.(config);
    logger.info({ signal: await signal }, 'stopping: a second signal ends at once');
    await stop(app, logger);
    return 0;
  } catch (error) {
    if (!(error instanceof OperatorError)) throw error;
    process.stderr.write(`vibesflow: ${error.message}\n`);
    return error.exitCode;
  } finally {
    await logWritten();
  }
}

async function stop(app: App, logger: Logger): Promise<void> {
  const startMs = systemClock.nowMs();
  systemClock.after(
    CLOSE_WITHIN_MS,
    () => {
      logger.fatal('a part did not close in time');
      writeLogNow();
      process.exit(1);
    },
    { background: true },
  );
  await app.close();
  logger.info({ tookMs: Math.round(systemClock.nowMs() - startMs) }, 'stopped');
}

/**
 * Resolves with the first SIGINT or SIGTERM; a second one ends the process at once. The handlers stay in place: between
 * two of them, a signal would kill.
 */
function firstSignal(): Promise<NodeJS.Signals> {
  return new Promise((resolve) => {
    let firstMs: number | undefined;
    const onSignal = (signal: NodeJS.Signals): void => {
      const nowMs = systemClock.nowMs();
      firstMs ??= nowMs;
      const isSameWish = nowMs === firstMs || (signal === 'SIGINT' && nowMs - firstMs < SAME_WISH_MS);
      if (!isSameWish) process.exit(EXIT_SECOND_SIGNAL);
      resolve(signal);
    };
    process.on('SIGINT', onSignal);
    process.on('SIGTERM', onSignal);
  });
}

/** An error that nobody expected leaves the house in an unknown state: say so and let the process manager start anew. */
function dieOnSurprises(logger: Logger): void {
  for (const event of ['uncaughtException', 'unhandledRejection'] as const) {
    process.on(event, (error: unknown) => {
      logger.fatal({ err: error }, event);
      writeLogNow();
      process.exit(1);
    });
  }
}

if (require.main === module) {
  void runDaemon({ env: process.env }).then((exitCode) => process.exit(exitCode));
}
