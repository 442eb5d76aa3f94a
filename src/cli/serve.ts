import { Command } from 'commander';
import type { Config } from '../base/config';
import { DEMO_CREATOR, DEMO_VIBE, playDemo } from './demo';
import { portOption } from './options';
import type { CommandContext } from './program';
import { ownToken } from './own-token';
import { localUrl, RelayApi } from './relay-api';
import type { Output } from './terminal';
import { welcome } from './welcome';

interface ServeOptions {
  readonly port?: number;
  readonly demo?: boolean;
}

const EXAMPLES = `
Examples:
  $ vibesflow serve
  $ vibesflow serve --demo
  $ PORT=3101 MEDIA_HTTP_PORT=8180 RTMP_PORT=1936 vibesflow serve

All settings are environment variables, or lines of the same form in a file .env; the README lists them.
Exit codes: 0 stopped; 64 wrong options; 69 something needed is not there, such as a port or FFmpeg;
73 a directory cannot be written to; 78 wrong settings.`;

/** `vibesflow serve`: the daemon, in the foreground. */
export function serveCommand(context: CommandContext): Command {
  return new Command('serve')
    .description('run the relay in the foreground, until Ctrl-C')
    .option('--port <n>', 'the HTTP and WebSocket port (the setting PORT)', portOption)
    .option('--demo', `also play a generated tune into the vibe ${DEMO_VIBE}`)
    .addHelpText('after', EXAMPLES)
    .action(async (options: ServeOptions) => {
      context.exitCode = await serve(options, context);
    });
}

async function serve({ port, demo }: ServeOptions, { env, output }: CommandContext): Promise<number> {
  const over = new AbortController();
  let playing: Promise<void> | undefined;
  // The demo ends before the relay does, or it would try to connect again.
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => over.abort());
  const onReady = (config: Config): void => {
    output.stdout.write(`\n${welcome(config, demo ? { vibeId: DEMO_VIBE, playing: true } : {})}\n`);
    if (demo) playing = demonstrate(config, output, over.signal);
  };
  const settings = port === undefined ? env : { ...env, PORT: String(port) };
  // Loaded here alone: the other commands start without the whole daemon.
  const { runDaemon } = await import('../main.js');
  try {
    return await runDaemon({ env: settings, onReady });
  } finally {
    over.abort();
    await playing;
  }
}

async function demonstrate(config: Config, output: Output, signal: AbortSignal): Promise<void> {
  const api = new RelayApi(localUrl(config), await ownToken(config, DEMO_CREATOR));
  await playDemo(api, output, signal);
}
