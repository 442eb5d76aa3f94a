import path from 'node:path';
import { Command } from 'commander';
import { systemClock } from '../base/clock';
import { type Config, loadConfig } from '../base/config';
import { createLogger, type Logger } from '../base/logger';
import { srsConfOptions } from '../media-server/srs/conf';
import { versionFor } from '../media-server/srs/lines';
import { BinaryDriver } from '../media-server/srs-supervisor/binary-driver';
import { DockerDriver } from '../media-server/srs-supervisor/docker-driver';
import type { SrsDriver } from '../media-server/srs-supervisor/driver';
import { type Environment, environmentFrom, findLeash } from '../media-server/srs-supervisor/programs';
import { SrsSupervisor } from '../media-server/srs-supervisor/supervisor';
import { SrsWatcher } from '../media-server/srs-supervisor/watcher';
import { onInterrupt } from './interrupt';
import type { CommandContext } from './program';
import { localUrl } from './relay-api';
import { relayDrained } from './relay-drain';
import { srsApiUrl } from './srs-api-url';

const EXAMPLES = `
Examples:
  $ SRS_DRIVER=binary SRS_BINARY=/usr/local/srs/objs/srs vibesflow srs run
  $ SRS_DRIVER=docker vibesflow srs run
  $ vibesflow srs run

The first two run SRS: they write its configuration for the release that they find into DATA_DIR/srs, start it, look every
second whether it answers, and start it again when it ends or hangs. The third (SRS_DRIVER=external) only watches one that
somebody else runs, and says what becomes of it. Ctrl-C or SIGTERM ends SRS in order; a second one leaves at once.
SRS is the Simple Realtime Server, https://ossrs.io; Debian's package srs is another program.
Exit codes: 0 stopped; 64 wrong options; 69 SRS cannot run: not there, a port in use, too few open files;
73 DATA_DIR/srs cannot be written to; 78 wrong settings; 130 left at once.`;

/** `vibesflow srs run`: SRS beside the relay, kept running. */
export function srsRunCommand(context: CommandContext): Command {
  return new Command('run')
    .description('run SRS and keep it running (SRS_DRIVER=binary or docker), or watch one (external)')
    .addHelpText('after', EXAMPLES)
    .action(async () => {
      const config = loadConfig(context.env, { isTerminal: context.output.stdout.isTTY ?? false });
      const logger = createLogger({ level: config.logLevel, format: config.logFormat });
      const { signal, release } = onInterrupt();
      const stopped = new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()));
      try {
        if (config.mediaServer !== 'srs')
          logger.warn('MEDIA_SERVER is not srs: a relay with these settings does not use SRS');
        await (config.srsDriver === 'external'
          ? watch(config, logger, stopped)
          : supervise(config, logger, stopped, environmentFrom(context.env)));
      } finally {
        release();
      }
    });
}

async function watch(config: Config, logger: Logger, stopped: Promise<void>): Promise<void> {
  const watcher = new SrsWatcher({ apiUrl: srsApiUrl(config), clock: systemClock, logger });
  watcher.start();
  process.send?.('ready');
  await stopped;
  watcher.close();
}

async function supervise(
  config: Config,
  logger: Logger,
  stopped: Promise<void>,
  environment: Environment,
): Promise<void> {
  const directory = path.join(config.dataDir, 'srs');
  const { version: _, ...conf } = srsConfOptions(config, versionFor('7'), directory);
  const driver = await driverFor(config, directory, environment, logger);
  const supervisor = new SrsSupervisor({
    driver,
    conf,
    hookSecret: config.hookSecret,
    clock: systemClock,
    logger,
  });
  const stopping = stopped.then(async () => {
    logger.info('stopping SRS: a second signal leaves at once');
    const onWait = (): void =>
      logger.info('the relay is stopping, too: SRS stays until its tails are played out');
    await relayDrained({ url: localUrl(config), onWait });
    await supervisor.close();
  });
  await supervisor.start();
  process.send?.('ready');
  await stopping;
  logger.info('SRS stopped');
}

async function driverFor(
  config: Config,
  directory: string,
  environment: Environment,
  logger: Logger,
): Promise<SrsDriver> {
  if (config.srsDriver === 'docker') {
    const user = `${process.getuid?.() ?? 0}:${process.getgid?.() ?? 0}`;
    return new DockerDriver({
      image: config.srsImage,
      directory,
      apiPort: config.mediaApiPort,
      user,
      environment,
    });
  }
  const leash = await findLeash(environment);
  if (leash.length === 0)
    logger.warn(
      'no setpriv that knows --pdeathsig: should this process be killed with SIGKILL, SRS stays behind',
    );
  return new BinaryDriver({ binary: config.srsBinary ?? '', environment, leash });
}
