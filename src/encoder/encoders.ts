import type { Clock } from '../base/clock';
import type { Config } from '../base/config';
import type { Logger } from '../base/logger';
import type { Metrics } from '../base/metrics';
import type { EncoderOptions } from './encoder';
import { EXIT_REASONS } from './exit';
import { findFfmpeg, probeFfmpeg } from './ffmpeg-path';
import { childEnvironment, findLeash } from './spawn';
import { SpawnLimiter } from './spawn-limiter';
import { type EncoderFactory, type EncoderHouse, SupervisedEncoder } from './supervised-encoder';

export interface EncodersOptions extends Pick<EncoderHouse, 'publishUrl' | 'whenClear' | 'mediaServerUp'> {
  readonly config: Pick<Config, 'ffmpegPath' | 'aacBitrate' | 'aacCoder'>;
  /** The daemon's own; FFmpeg gets what it needs of it. */
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: Metrics;
}

/** The FFmpeg that was found, and how to run it: for others that need one. */
export interface FfmpegTools {
  readonly path: string;
  /** See `findLeash`. */
  readonly leash: readonly string[];
  /** See `childEnvironment`. */
  readonly environment: Readonly<Record<string, string>>;
}

/** All encoders of a daemon: they share one FFmpeg, one bound on spawns, and the news of the media server. */
export interface Encoders {
  readonly create: EncoderFactory;
  readonly tools: FfmpegTools;
  /** The media server is back: who waits for it need not wait any longer. */
  retryNow(): void;
}

/**
 * Finds FFmpeg, asks it what it can do, and gets ready to make encoders.
 * @throws {OperatorError} where there is no FFmpeg that can do the work
 */
export async function prepareEncoders(options: EncodersOptions): Promise<Encoders> {
  const { config, clock, logger, metrics, publishUrl, whenClear, mediaServerUp } = options;
  metrics.expect(metrics.encoderExits, 'reason', EXIT_REASONS);
  metrics.expect(metrics.samplesLost, 'reason', EXIT_REASONS);
  const environment = childEnvironment(options.env);
  const ffmpeg = await probeFfmpeg(findFfmpeg(config.ffmpegPath, environment), environment);
  logger.info({ path: ffmpeg.path, version: ffmpeg.version }, 'FFmpeg found');
  const house: EncoderHouse = {
    clock,
    logger,
    metrics,
    random: Math.random,
    spawnLimiter: new SpawnLimiter(clock),
    ffmpeg,
    leash: await findLeash(environment, logger),
    environment,
    aac: { aacBitrate: config.aacBitrate, aacCoder: config.aacCoder },
    publishUrl,
    whenClear,
    mediaServerUp,
  };
  const encoders = new Set<SupervisedEncoder>();
  return {
    tools: { path: ffmpeg.path, leash: house.leash, environment },
    create: (encoderOptions: EncoderOptions) => {
      const encoder = new SupervisedEncoder(house, encoderOptions);
      encoders.add(encoder);
      encoder.on('state', ({ to }) => {
        if (to === 'idle') encoders.delete(encoder);
      });
      return encoder;
    },
    retryNow: () => {
      for (const encoder of encoders) encoder.retryNow();
    },
  };
}
