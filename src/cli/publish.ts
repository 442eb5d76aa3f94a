import { Command, Option } from 'commander';
import { OperatorError } from '../base/errors';
import { SAMPLE_FORMATS } from '../audio/pcm';
import { decode } from './decode';
import { EXIT_DATA, EXIT_INTERRUPTED, EXIT_OK, EXIT_USAGE } from './exit-code';
import { commandFfmpeg } from './ffmpeg';
import { onInterrupt, untilAborted } from './interrupt';
import { tokenFor, tokenOption, vibeOption, wholeNumberOption } from './options';
import { pause } from './pause';
import { PostSender } from './post-sender';
import type { CommandContext } from './program';
import { RelayApi } from './relay-api';
import { blockMs, type Sender } from './sender';
import { clockText, decibels, levelBar, type Output, StatusLine } from './terminal';
import { userName } from './user-name';
import { type VibeNow, VibeWatch } from './vibe-watch';
import { WebSocketSender } from './websocket-sender';

interface PublishOptions {
  readonly vibe: string;
  readonly creator: string;
  readonly title?: string;
  readonly url: string;
  readonly door: 'websocket' | 'post';
  readonly loop?: boolean;
  readonly end: boolean;
  readonly raw?: string;
  readonly rate: number;
  readonly channels: number;
  readonly ffmpeg?: string;
  readonly token?: string;
}

/** What the relay holds of ours is a second or two; should its last word not come, nobody waits for ever. */
const PLAY_OUT_MS = 15_000;
const EXAMPLES = `
Examples:
  $ vibesflow publish song.mp3 --vibe hello
  $ vibesflow publish set.flac --vibe hello --creator ana --title 'Friday night' --loop
  $ ffmpeg -f alsa -i default -f wav - | vibesflow publish - --vibe hello
  $ my-synth | vibesflow publish - --vibe hello --raw f32le --rate 44100 --channels 1

Exit codes: 0 all of it was sent; 64 wrong options; 65 the input cannot be read;
69 the relay cannot be reached or refuses; 130 stopped with Ctrl-C.`;

/** `vibesflow publish`: sends a file, or what comes in on standard input, as a live vibe. */
export function publishCommand(context: CommandContext): Command {
  return new Command('publish')
    .description('send audio into a vibe as if it were live: any file or stream that FFmpeg reads')
    .argument('<input>', 'a file, a URL, or - for standard input')
    .requiredOption('--vibe <id>', 'the vibe', vibeOption)
    .option('--creator <name>', 'who sends', userName())
    .option('--title <text>', 'what listeners read')
    .option('--url <url>', 'the relay', 'http://localhost:3001')
    .addOption(
      new Option('--door <door>', 'how audio is sent').choices(['websocket', 'post']).default('websocket'),
    )
    .option('--loop', 'begin again at the end, until stopped')
    .option('--no-end', 'leave the vibe open at the end')
    .addOption(new Option('--raw <format>', 'the input is bare PCM').choices(SAMPLE_FORMATS))
    .option('--rate <hertz>', 'sample rate of bare PCM', wholeNumberOption, 48_000)
    .option('--channels <n>', 'channels of bare PCM', wholeNumberOption, 2)
    .option(
      '--ffmpeg <path>',
      'the FFmpeg to decode with (default: FFMPEG_PATH, the system’s, the packaged one)',
    )
    .addOption(tokenOption())
    .addHelpText('after', EXAMPLES)
    .action(async (input: string, options: PublishOptions) => {
      if (options.loop && input === '-')
        throw new OperatorError('Standard input cannot be looped', EXIT_USAGE);
      context.exitCode = await publish(input, options, context);
    });
}

/** What a run of `publish` holds open. */
interface Run {
  readonly options: PublishOptions;
  readonly api: RelayApi;
  readonly stderr: Output['stderr'];
  readonly signal: AbortSignal;
}

async function publish(input: string, options: PublishOptions, context: CommandContext): Promise<number> {
  const { raw } = options;
  const interrupt = onInterrupt();
  const { signal } = interrupt;
  const blocks = decode({
    ffmpeg: commandFfmpeg(options.ffmpeg, context.env),
    input,
    raw: raw ? { sampleFormat: raw, sampleRate: options.rate, channels: options.channels } : undefined,
    loop: options.loop,
    signal,
  });
  try {
    const api = new RelayApi(options.url, tokenFor(options, context));
    const run = { options, api, stderr: context.output.stderr, signal };
    // The first block before the vibe: a file that is none starts nothing.
    const first = await untilAborted(blocks.next(), signal);
    if (first?.done)
      throw new OperatorError(`${input === '-' ? 'Standard input' : input} holds no audio`, EXIT_DATA);
    if (first) await sendAll(first, blocks, run);
    return signal.aborted ? EXIT_INTERRUPTED : EXIT_OK;
  } finally {
    interrupt.release();
    await blocks.return(undefined);
  }
}

async function sendAll(
  first: IteratorResult<Buffer, void>,
  blocks: AsyncGenerator<Buffer, void, undefined>,
  { options, api, stderr, signal }: Run,
): Promise<void> {
  const { vibe: vibeId, creator, title } = options;
  const { streamingUrl } = await api.start(vibeId, { creator, title });
  stderr.write(`Live: ${api.url}/listen/${vibeId}${streamingUrl ? `  ${streamingUrl}` : ''}\n`);
  let sentMs = 0;
  const watch = new VibeWatch(api, vibeId);
  const line = new StatusLine(stderr, () => progress(sentMs, sender, watch.now));
  const sender = openDoor(api, options, (text) => line.note(text));
  try {
    for (let next: IteratorResult<Buffer, void> | undefined = first; next && !next.done;) {
      await untilAborted(sender.send(next.value), signal);
      if (signal.aborted) break;
      sentMs += blockMs(next.value.length);
      next = await untilAborted(blocks.next(), signal);
    }
    await untilAborted(sender.finish(), signal);
    line.close();
    sender.close();
    if (options.end) {
      stderr.write('Playing out what the relay still holds …\n');
      await api.end(vibeId, { creator, drain: true });
      const isOver = new AbortController();
      void watch.over.then(() => isOver.abort());
      await pause(PLAY_OUT_MS, isOver.signal);
    }
  } catch (error) {
    // An input that breaks off is the end of this vibe too; what the relay refuses may be somebody else's.
    const isInput = error instanceof OperatorError && error.exitCode === EXIT_DATA;
    if (isInput && options.end) await api.end(vibeId, { creator, drain: true }).catch(() => undefined);
    throw error;
  } finally {
    line.close();
    sender.close();
    watch.close();
    stderr.write(`${summary(sender, watch.now)}\n`);
  }
}

function openDoor(api: RelayApi, options: PublishOptions, onNote: (line: string) => void): Sender {
  const { vibe: vibeId, creator, title, door } = options;
  const beforeRetry = (): Promise<void> => startAnew(api, vibeId, { creator, title });
  if (door === 'post') return new PostSender({ api, vibeId, creator, onNote, beforeRetry });
  const url = api.audioUrl(vibeId, { creator }, 'ws');
  return new WebSocketSender({ url, creator, headers: api.credentials, onNote, beforeRetry });
}

/** A relay that was stopped meanwhile knows nothing of the vibe: audio alone would start it without its title. */
async function startAnew(
  api: RelayApi,
  vibeId: string,
  options: { creator: string; title?: string | undefined },
): Promise<void> {
  try {
    if (options.title !== undefined && !(await api.status(vibeId))) await api.start(vibeId, options);
  } catch {
    // Not there yet, or it refuses: the door says so, too, and decides what follows.
  }
}

function progress(sentMs: number, sender: Sender, now: VibeNow): string {
  const level = now.rmsDbfs === undefined ? '' : `  ${levelBar(now.rmsDbfs, 12)} ${decibels(now.rmsDbfs)}`;
  return (
    `${clockText(sentMs / 1000)} sent  ${now.state}  ${(sender.aheadMs / 1000).toFixed(1)} s ahead  ` +
    `${now.listeners} listening${level}`
  );
}

function summary({ report }: Sender, now: VibeNow): string {
  const plural = (count: number, word: string): string => `${count} ${word}${count === 1 ? '' : 's'}`;
  return (
    `${(report.acknowledgedMs / 1000).toFixed(1)} s sent and acknowledged, ${plural(report.reconnects, 'reconnect')}, ` +
    `longest wait for a receipt ${Math.round(report.longestAckMs)} ms, ${plural(now.underruns, 'underrun')}`
  );
}
