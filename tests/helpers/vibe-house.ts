import { Ticker } from '../../src/audio/ticker';
import { Metrics } from '../../src/base/metrics';
import type { RegistryHouse } from '../../src/vibes/registry';
import { FakeClock } from './fake-clock';
import { FakeEncoder } from './fake-encoder';
import { FakeMediaServer } from './fake-media-server';
import { silentLogger } from './silent-logger';

/** A house for vibes without processes, with the clock in the test's hand. */
export class FakeHouse implements RegistryHouse {
  readonly clock = new FakeClock();
  readonly metrics = new Metrics();
  readonly logger = silentLogger;
  readonly mediaServer = new FakeMediaServer();
  readonly encoders: FakeEncoder[] = [];
  readonly ticker = new Ticker(this.clock);
  readonly config: RegistryHouse['config'];

  constructor(config: Partial<RegistryHouse['config']> = {}) {
    this.config = {
      holdSeconds: 30,
      leaseSeconds: 60,
      maxBufferSeconds: 30,
      prebufferMs: 60,
      maxStreams: 200,
      ...config,
    };
  }

  createEncoder(options: FakeEncoder['options']): FakeEncoder {
    const encoder = new FakeEncoder(options);
    this.encoders.push(encoder);
    return encoder;
  }

  /** The encoder that was made last. */
  get encoder(): FakeEncoder {
    const encoder = this.encoders.at(-1);
    if (!encoder) throw new Error('no encoder was made');
    return encoder;
  }

  /** A metric's value, summed over its labels. */
  async metric(name: string): Promise<number> {
    const metric = await this.metrics.registry.getSingleMetric(name)?.get();
    if (!metric) throw new Error(`no metric ${name}`);
    return metric.values.reduce((sum, { value }) => sum + value, 0);
  }
}
