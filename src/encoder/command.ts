import ffmpeg from 'fluent-ffmpeg';
import type { PcmFormat } from '../audio/pcm';
import { cafHeader, fitsCaf } from './caf-header';

/** What an encoder's command line depends on, and nothing else. */
export interface CommandOptions {
  /** The FFmpeg that will run: what `probeFfmpeg` found out. */
  readonly ffmpeg: { readonly major: number; readonly readsCaf: boolean };
  /** What comes in: little-endian. */
  readonly format: PcmFormat;
  /** e.g. `128k` */
  readonly aacBitrate: string;
  readonly aacCoder: 'twoloop' | 'fast';
  /** Where the FLV goes: an `rtmp://` URL; the path of a file works as well, and is overwritten. */
  readonly outputUrl: string;
}

export interface EncoderCommand {
  readonly args: readonly string[];
  /** Goes into standard input first, before any sample. */
  readonly preamble: Buffer;
}

/** What AAC frames are made of. */
const OUTPUT_RATE = 48_000;
const OUTPUT_CHANNELS = 2;
const AAC_FRAME_SAMPLES = 1024;

/**
 * How long FFmpeg waits for the network before it gives up, in microseconds: as long as the watchdog does. Against a
 * server that accepts and never answers, 5.1.9 and 7.0 give up in time and 4.1 waits for ever: there the watchdog is
 * all there is. (`-timeout` would turn RTMP into a listener.)
 */
const NETWORK_TIMEOUT_US = 6_000_000;

/**
 * The command line of one encoder. fluent-ffmpeg puts it together and does nothing else here: it is never told to run,
 * so it neither spawns nor probes. Same options, same list.
 *
 * What FFmpeg is told, and what it was measured to do (loopback, two cores, 48 kHz stereo s16le in 20 ms chunks at
 * real-time pace; FFmpeg 4.1 / 5.1.9 / 7.0; "first" is from spawn to the first AAC frame, four runs each):
 *
 * | input                                             | p50 ms         | p95 ms          | first ms        |
 * |---------------------------------------------------|----------------|-----------------|-----------------|
 * | `-f s16le`                                        | 41 / 41 / 82   | 61 / 61 / 121   | 44 / 75 / 87    |
 * | `-f wav -ignore_length 1 -max_size 4096`          | 41 / 41 / 41   | 62 / 62 / 62    | 690 / 350 / 350 |
 * | `-f caf`, packets of one AAC frame                | – / 41 / 41    | – / 61 / 62     | – / 60 / 44     |
 *
 * - FFmpeg 7 reads raw PCM in packets of 85 ms. WAV would mend that, but where it says PCM its first 64 KiB (341 ms)
 *   are held back, to see whether they are S/PDIF; mu-law of the same byte rate is not held: 66 ms. CAF names its
 *   packet size and is believed at once. FFmpeg 4.1 reads nothing from it, but is as quick with raw PCM. u8 does not
 *   fit CAF and stays raw: p50 81 ms on FFmpeg 7.
 * - 4.1, 5.1.9 and 7.0 all make of it, byte for byte, the AAC frames of an offline encode of the same PCM: every sample
 *   format, 8 to 192 kHz, 1 to 8 channels.
 * - To an RTMP server: first frame at a waiting listener after 73 / 115 / 77 ms with `-tcp_nodelay 1`, 242 / 295 / – ms
 *   without: Nagle and delayed acknowledgements cost 40 ms on each of six round trips. 4.1 hands it on to TCP, too.
 * - `-probesize 32 -analyzeduration 0` keeps FFmpeg from analysing input that it was told all about.
 * - Tried, gained nothing and left out: `-threads 1`, `-muxdelay 0`, `-max_interleave_delta 0`,
 *   `-map_metadata -1`. `-avioflags direct` breaks container headers. `-fflags nobuffer` throws away a frame.
 * - `-filter_threads 1`: otherwise each FFmpeg keeps an idle thread for each core (here two).
 */
export function encoderCommand(options: CommandOptions): EncoderCommand {
  const { format, outputUrl } = options;
  const input = inputOf(options);
  const command = ffmpeg()
    .input('pipe:0')
    .inputOptions(
      ...['-hide_banner', '-nostdin', '-loglevel', 'warning', '-nostats', '-progress', 'pipe:3'],
      // Half a second is the default, and fixed before 4.4, which does not know the option.
      ...(options.ffmpeg.major >= 5 ? ['-stats_period', '0.5'] : []),
      ...['-filter_threads', '1', '-protocol_whitelist', 'pipe', '-probesize', '32', '-analyzeduration', '0'],
      ...input.options,
    )
    .output(outputUrl)
    .audioCodec('aac')
    .audioBitrate(options.aacBitrate)
    .audioFrequency(OUTPUT_RATE)
    .audioChannels(OUTPUT_CHANNELS)
    .outputOptions(
      ...['-aac_coder', options.aacCoder, '-profile:a', 'aac_low'],
      ...['-flush_packets', '1', '-flvflags', 'no_duration_filesize'],
      ...(/^rtmps?:/.test(outputUrl) ? ['-rw_timeout', String(NETWORK_TIMEOUT_US), '-tcp_nodelay', '1'] : []),
    )
    .format('flv');
  const args = (command as unknown as { _getArguments(): (string | number)[] })._getArguments();
  return { args: args.map(String), preamble: input.preamble(format) };
}

function inputOf({ ffmpeg: { readsCaf }, format }: CommandOptions): {
  options: string[];
  preamble: (format: PcmFormat) => Buffer;
} {
  if (readsCaf && fitsCaf(format)) {
    // As much as makes one AAC frame. What divides unevenly only shifts the packets, not the samples.
    const packetSamples = Math.ceil((format.sampleRate * AAC_FRAME_SAMPLES) / OUTPUT_RATE);
    return { options: ['-f', 'caf'], preamble: () => cafHeader(format, packetSamples) };
  }
  const shape = ['-ar', String(format.sampleRate), '-ac', String(format.channels)];
  return { options: ['-f', format.sampleFormat, ...shape], preamble: () => Buffer.alloc(0) };
}
