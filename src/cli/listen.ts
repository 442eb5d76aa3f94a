import { randomUUID } from 'node:crypto';
import { performance } from 'node:perf_hooks';
import { Command } from 'commander';
import { EXIT_UNAVAILABLE, OperatorError } from '../base/errors';
import { AUDIO_TAG, FlvParser, aacFrame, isAac, isAacConfig } from '../media-server/flv';
import { type ArrivalReport, Arrivals } from './arrivals';
import { Ear } from './ear';
import { EXIT_INTERRUPTED, EXIT_OK } from './exit-code';
import { commandFfmpeg } from './ffmpeg';
import { onInterrupt } from './interrupt';
import { secondsOption, tokenFor, tokenOption, vibeOption } from './options';
import { play } from './player';
import type { CommandContext } from './program';
import { type Joined, RelayApi, reason } from './relay-api';
import { backoffMs, pause } from './pause';
import { GIVE_UP_MS } from './sender';
import { clockText, decibels, levelBar, StatusLine } from './terminal';

interface ListenOptions {
  readonly url: string;
  readonly seconds?: number;
  readonly play?: boolean;
  readonly json?: boolean;
  readonly ffmpeg?: string;
  readonly token?: string;
}

const EXAMPLES = `
Examples:
  $ vibesflow listen hello
  $ vibesflow listen hello --seconds 10 --json | jq .longestGapMs
  $ vibesflow listen hello --play

"lag" is how much later than the promptest tag of the stream the latest one came, by its own timestamp: what a
player's buffer has to even out. The latency from the creator cannot be seen from the listener's end alone.

Exit codes: 0 audio was heard; 64 wrong options; 69 no relay, no such vibe, or no audio; 130 stopped with Ctrl-C.`;

/** `vibesflow listen`: joins a vibe and says how it arrives and how loud it is. */
export function listenCommand(context: CommandContext): Command {
  return new Command('listen')
    .description('listen to a vibe: its level, and how evenly it arrives')
    .argument('<vibe>', 'the vibe', vibeOption)
    .option('--url <url>', 'the relay', 'http://localhost:3001')
    .option('--seconds <n>', 'stop after so many seconds', secondsOption)
    .option('--play', 'play it through ffplay, mpv or VLC, whichever is found first')
    .option('--json', 'write the summary to standard output as JSON')
    .option(
      '--ffmpeg <path>',
      'the FFmpeg to decode with (default: FFMPEG_PATH, the system’s, the packaged one)',
    )
    .addOption(tokenOption())
    .addHelpText('after', EXAMPLES)
    .action(async (vibeId: string, options: ListenOptions) => {
      context.exitCode = await listen(vibeId, options, context);
    });
}

async function listen(vibeId: string, options: ListenOptions, context: CommandContext): Promise<number> {
  const api = new RelayApi(options.url, tokenFor(options, context));
  const participantId = `cli-${randomUUID()}`;
  const joined = await api.join(vibeId, participantId);
  const renew = setInterval(
    () => {
      // A relay that is away for a moment is asked again soon enough: the lease lasts for three of these.
      api.join(vibeId, participantId).catch(() => undefined);
    },
    (joined.leaseSeconds * 1000) / 3,
  );
  const interrupt = onInterrupt();
  const enough = new AbortController();
  const timer = options.seconds && setTimeout(() => enough.abort(), options.seconds * 1000);
  interrupt.signal.addEventListener('abort', () => enough.abort());
  try {
    if (options.play) await play(joined.streamingUrl, enough.signal, context);
    else await measure(vibeId, { api, joined, signal: enough.signal, options, context });
    return interrupt.signal.aborted ? EXIT_INTERRUPTED : EXIT_OK;
  } catch (error) {
    // Who does not want to wait any longer needs not be told that nothing has come yet.
    if (interrupt.signal.aborted) return EXIT_INTERRUPTED;
    throw error;
  } finally {
    clearInterval(renew);
    clearTimeout(timer);
    interrupt.release();
    await api.leave(vibeId, participantId).catch(() => undefined);
  }
}

interface Listening {
  readonly api: RelayApi;
  readonly joined: Joined;
  readonly signal: AbortSignal;
  readonly options: ListenOptions;
  readonly context: CommandContext;
}

async function measure(vibeId: string, { api, joined, signal, options, context }: Listening): Promise<void> {
  const { stdout, stderr } = context.output;
  const arrivals = new Arrivals(performance.now());
  const ear = new Ear(commandFfmpeg(options.ffmpeg, context.env));
  let connections = 0;
  let why = 'no audio came';
  const line = new StatusLine(stderr, () => progress(arrivals.report, ear, connections));
  try {
    let tries = 0;
    for (let lastMs = performance.now(); !signal.aborted;) {
      connections += 1;
      const before = arrivals.report.tags;
      why = (await receive(joined.streamingUrl, arrivals, ear, signal)) ?? why;
      if (signal.aborted) break;
      if (arrivals.report.tags > before) [lastMs, tries] = [performance.now(), 0];
      if (performance.now() - lastMs > GIVE_UP_MS || (await isOver(api, vibeId))) break;
      await pause(backoffMs(tries++), signal);
    }
  } finally {
    line.close();
    await ear.close();
  }
  const { report } = arrivals;
  const heard = { vibeId, ...rounded(report), reconnects: connections - 1, peakDbfs: ear.highestPeakDbfs };
  if (options.json) stdout.write(`${JSON.stringify(heard)}\n`);
  else stdout.write(`${summary(report, connections, ear)}\n`);
  if (report.tags === 0) throw new OperatorError(`Nothing was heard: ${why}`, EXIT_UNAVAILABLE);
}

/** One connection, until it ends. @returns why, where that is worth saying */
async function receive(
  url: string,
  arrivals: Arrivals,
  ear: Ear,
  signal: AbortSignal,
): Promise<string | undefined> {
  const parser = new FlvParser({
    onTag: ({ type, timestampMs, body }) => {
      if (type !== AUDIO_TAG || !isAac(body) || isAacConfig(body)) return;
      arrivals.tag(timestampMs, performance.now());
      ear.hear(aacFrame(body));
    },
  });
  try {
    const response = await fetch(url, { signal });
    if (!response.ok || !response.body) {
      await response.body?.cancel();
      return `${url} answered ${response.status}`;
    }
    for await (const bytes of response.body as AsyncIterable<Uint8Array>) parser.push(Buffer.from(bytes));
    return undefined;
  } catch (error) {
    return signal.aborted ? undefined : `${url}: ${reason(error)}`;
  }
}

async function isOver(api: RelayApi, vibeId: string): Promise<boolean> {
  try {
    const status = await api.status(vibeId);
    return !status || status.state === 'ended' || status.state === 'failed';
  } catch {
    // The relay may be starting again; the stream is tried again until it is given up.
    return false;
  }
}

function progress(report: ArrivalReport, { latest }: Ear, connections: number): string {
  if (report.tags === 0) return `waiting for audio (connection ${connections}) …`;
  const rms = latest?.rmsDbfs ?? -120;
  return (
    `${clockText(report.audioMs / 1000)} heard  ${levelBar(rms, 16)} ${decibels(rms)} (peak ${decibels(latest?.peakDbfs ?? -120)})  ` +
    `lag ${Math.round(report.lagMs)} ms  longest gap ${Math.round(report.longestGapMs)} ms`
  );
}

function summary(report: ArrivalReport, connections: number, ear: Ear): string {
  return [
    `${(report.audioMs / 1000).toFixed(1)} s of audio in ${report.tags} tags, peak ${decibels(ear.highestPeakDbfs)}`,
    `first audio after ${report.firstTagMs === undefined ? '–' : Math.round(report.firstTagMs)} ms, ${connections - 1} reconnects`,
    `gaps: longest ${Math.round(report.longestGapMs)} ms, ${report.gapsOver60Ms} over 60 ms, ${report.gapsOver100Ms} over 100 ms`,
    `lag behind the promptest tag: longest ${Math.round(report.longestLagMs)} ms; ${report.backwards} timestamps ran backwards`,
  ].join('\n');
}

function rounded(report: ArrivalReport): Record<string, number> {
  return Object.fromEntries(
    Object.entries(report as unknown as Record<string, number>).map(([name, value]) => [
      name,
      Math.round(value * 10) / 10,
    ]),
  );
}
