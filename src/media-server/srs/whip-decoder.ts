import type { PcmFormat } from '../../audio/pcm';
import type { Clock } from '../../base/clock';
import { FfmpegChild, type FfmpegEnd, type FfmpegTools } from './ffmpeg-child';
import { OggOpus } from './ogg-opus';
import { OPUS_RATE, silentOpus } from './opus';

export interface WhipDecoderOptions {
  readonly tools: FfmpegTools;
  readonly clock: Clock;
  /** What comes out. */
  readonly format: PcmFormat;
  readonly onPcm: (bytes: Buffer) => void;
  /** It decodes: what it is given from now on comes out at once. */
  readonly onWarm?: (() => void) | undefined;
  /** It ended without having been closed. */
  readonly onDeath: (end: FfmpegEnd) => void;
}

/** One packet. What comes of it says that FFmpeg has started. */
const WARM_UP_SAMPLES = OPUS_RATE / 50;
/** Half a minute of Opus at 256 kbit/s: an FFmpeg that has not read this hangs. */
const MAX_UNREAD_BYTES = 1024 * 1024;

/**
 * Makes PCM of Opus packets by an FFmpeg. With these flags each packet's samples came out before the next packet went in
 * (FFmpeg 4.1 and 5.1.9); `-fflags nobuffer` threw away the first 20 ms, and `-avioflags direct` all.
 */
export class WhipDecoder {
  readonly #child: FfmpegChild;
  readonly #ogg = new OggOpus();
  #isWarm = false;
  #isClosed = false;

  constructor({ tools, clock, format, onPcm, onWarm, onDeath }: WhipDecoderOptions) {
    this.#child = new FfmpegChild({
      tools,
      clock,
      args: decoderArguments(format),
      onOutput: (bytes) => {
        // The first is what it made of our own silence.
        if (this.#isWarm) onPcm(bytes);
        else if (!this.#isClosed) onWarm?.();
        this.#isWarm = true;
      },
      onExit: (end) => {
        if (!this.#isClosed) onDeath(end);
      },
    });
    this.#child.write(this.#ogg.header());
    for (const silent of silentOpus(WARM_UP_SAMPLES)) this.#child.write(this.#ogg.packet(silent));
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  /** One packet of Opus. */
  write(opus: Buffer): void {
    if (this.#child.unreadBytes > MAX_UNREAD_BYTES) this.#child.kill();
    else this.#child.write(this.#ogg.packet(opus));
  }

  /** Resolves when all that was written has come out, or will not. Idempotent. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#child.close();
  }
}

/** The command line, without the program. */
export function decoderArguments({ sampleFormat, sampleRate, channels }: PcmFormat): string[] {
  return [
    ...['-hide_banner', '-nostdin', '-nostats', '-loglevel', 'error'],
    ...['-filter_threads', '1', '-protocol_whitelist', 'pipe', '-probesize', '32', '-analyzeduration', '0'],
    ...['-threads', '1', '-f', 'ogg', '-i', 'pipe:0'],
    ...[
      '-ar',
      String(sampleRate),
      '-ac',
      String(channels),
      '-f',
      sampleFormat,
      '-flush_packets',
      '1',
      'pipe:1',
    ],
  ];
}
