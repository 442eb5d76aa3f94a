import pino from 'pino';
import { DEFAULT_FORMAT } from '../../src/audio/pcm';
import { OperatorError } from '../../src/base/errors';
import { Metrics } from '../../src/base/metrics';
import { prepareEncoders, type Encoders, type EncodersOptions } from '../../src/encoder/encoders';
import { FakeClock } from '../helpers/fake-clock';
import { silentLogger } from '../helpers/silent-logger';
import { expectNoChildren, feed, fixture, untilState } from './encoder-house';

function prepare(overrides: Partial<EncodersOptions> = {}): Promise<Encoders> {
  return prepareEncoders({
    config: { ffmpegPath: undefined, aacBitrate: '128k', aacCoder: 'fast' },
    env: process.env,
    clock: new FakeClock(),
    logger: silentLogger,
    metrics: new Metrics(),
    publishUrl: () => '/dev/null',
    whenClear: (_vibeId, go) => {
      go();
      return { cancel: () => undefined };
    },
    mediaServerUp: () => true,
    ...overrides,
  });
}

describe('the encoders of a daemon', () => {
  afterEach(expectNoChildren);

  it('are made with the FFmpeg that was found, which is logged', async () => {
    const lines: string[] = [];
    const logger = pino({ level: 'info' }, { write: (line: string) => void lines.push(line) });
    const encoders = await prepare({ logger });
    expect(lines.join()).toContain('FFmpeg found');
    const encoder = encoders.create({ vibeId: 'song', format: DEFAULT_FORMAT });
    encoder.start();
    await feed(encoder, Buffer.alloc(192_000));
    await encoder.end();
    expect(encoder.lastExit).toMatchObject({ reason: 'ended', exitCode: 0, samplesFed: 48_000 });
    expect(encoder.lastExit?.outTimeUs).toBeGreaterThanOrEqual(1_000_000);
  });

  it('show each way to end as a counter before anything ends', async () => {
    const metrics = new Metrics();
    await prepare({ metrics });
    const text = await metrics.registry.metrics();
    for (const reason of ['killed', 'crashed', 'stalled', 'output-failed'])
      for (const name of ['encoder_exits', 'samples_lost'])
        expect(text).toContain(`vibesflow_${name}_total{reason="${reason}"} 0\n`);
  });

  it('cannot be made without an FFmpeg that can do the work', async () => {
    const config = { ffmpegPath: fixture('of-3'), aacBitrate: '128k', aacCoder: 'fast' } as const;
    await expect(prepare({ config })).rejects.toThrow(OperatorError);
  });

  it('all start when the media server is back', async () => {
    let up = false;
    const clock = new FakeClock();
    const encoders = await prepare({ clock, mediaServerUp: () => up });
    const waiting = ['a', 'b'].map((vibeId) => encoders.create({ vibeId, format: DEFAULT_FORMAT }));
    const ended = encoders.create({ vibeId: 'c', format: DEFAULT_FORMAT });
    for (const encoder of [...waiting, ended]) encoder.start();
    await ended.close();
    expect(waiting.map(({ state }) => state)).toEqual(['backoff', 'backoff']);
    up = true;
    encoders.retryNow();
    clock.advance(0);
    expect(waiting.map(({ state }) => state)).toEqual(['starting', 'starting']);
    expect(ended.state).toBe('idle');
    await Promise.all(waiting.map((encoder) => encoder.close()));
    await Promise.all(waiting.map((encoder) => untilState(encoder, 'idle')));
  });
});
