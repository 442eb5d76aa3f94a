import { encoderCommand, type CommandOptions } from '../../src/encoder/command';

const OPTIONS: CommandOptions = {
  ffmpeg: { major: 5, readsCaf: true },
  format: { sampleFormat: 's16le', sampleRate: 48_000, channels: 2 },
  aacBitrate: '128k',
  aacCoder: 'twoloop',
  outputUrl: 'rtmp://127.0.0.1:1935/live/song?token=abc',
};

const OUTPUT =
  '-acodec aac -b:a 128k -ar 48000 -ac 2 -aac_coder twoloop -profile:a aac_low ' +
  '-flush_packets 1 -flvflags no_duration_filesize -rw_timeout 6000000 -tcp_nodelay 1 ' +
  '-f flv rtmp://127.0.0.1:1935/live/song?token=abc';

/** The whole list, for each generation of FFmpeg that is supported. A change here changes what goes on air. */
const GOLDEN: [string, CommandOptions['ffmpeg'], string][] = [
  [
    '4.1',
    { major: 4, readsCaf: false },
    '-hide_banner -nostdin -loglevel warning -nostats -progress pipe:3 -filter_threads 1 ' +
      '-protocol_whitelist pipe -probesize 32 -analyzeduration 0 -f s16le -ar 48000 -ac 2 -i pipe:0 ' +
      OUTPUT,
  ],
  [
    '5.1',
    { major: 5, readsCaf: true },
    '-hide_banner -nostdin -loglevel warning -nostats -progress pipe:3 -stats_period 0.5 -filter_threads 1 ' +
      '-protocol_whitelist pipe -probesize 32 -analyzeduration 0 -f caf -i pipe:0 ' +
      OUTPUT,
  ],
  [
    '7.0',
    { major: 7, readsCaf: true },
    '-hide_banner -nostdin -loglevel warning -nostats -progress pipe:3 -stats_period 0.5 -filter_threads 1 ' +
      '-protocol_whitelist pipe -probesize 32 -analyzeduration 0 -f caf -i pipe:0 ' +
      OUTPUT,
  ],
];

describe('the command line of an encoder', () => {
  it.each(GOLDEN)('is exactly this for FFmpeg %s', (_version, ffmpeg, line) => {
    expect(encoderCommand({ ...OPTIONS, ffmpeg }).args.join(' ')).toBe(line);
  });

  it('depends on its options alone, and is a new list each time', () => {
    const first = encoderCommand(OPTIONS);
    const second = encoderCommand(OPTIONS);
    expect(second).toEqual(first);
    expect(second.args).not.toBe(first.args);
    expect(first.args.every((arg) => typeof arg === 'string')).toBe(true);
  });

  it('takes what one AAC frame is made of as a packet, at every rate', () => {
    const packetSamples = (sampleRate: number): number =>
      encoderCommand({ ...OPTIONS, format: { ...OPTIONS.format, sampleRate } }).preamble.readUInt32BE(40);
    expect([8_000, 44_100, 48_000, 96_000, 192_000].map(packetSamples)).toEqual([
      171, 941, 1_024, 2_048, 4_096,
    ]);
  });

  it('sends no preamble where the samples go in raw', () => {
    const old = encoderCommand({ ...OPTIONS, ffmpeg: { major: 4, readsCaf: false } });
    expect(old.preamble).toHaveLength(0);
  });

  it('sends u8 raw, which Core Audio Format cannot hold', () => {
    const format = { sampleFormat: 'u8', sampleRate: 11_025, channels: 1 } as const;
    const { args, preamble } = encoderCommand({ ...OPTIONS, format });
    expect(args.join(' ')).toContain('-f u8 -ar 11025 -ac 1 -i pipe:0');
    expect(preamble).toHaveLength(0);
  });

  it('hands on bit rate and coder', () => {
    const { args } = encoderCommand({ ...OPTIONS, aacBitrate: '96k', aacCoder: 'fast' });
    expect(args.join(' ')).toContain('-b:a 96k');
    expect(args.join(' ')).toContain('-aac_coder fast');
  });

  it('keeps an output URL in one piece, whatever is in it', () => {
    const outputUrl = 'file:/tmp/a b -y [f=adts]|x.flv';
    expect(encoderCommand({ ...OPTIONS, outputUrl }).args.at(-1)).toBe(outputUrl);
  });
});
