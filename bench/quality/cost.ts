import { Daemon } from '../../tests/helpers/daemon';
import { OnAir } from '../on-air/on-air';
import { type Coding, encodingCpuSeconds } from './coder';

const HOUR_SECONDS = 3_600;
const BYTES_A_SECOND = 48_000 * 4;

/**
 * CPU seconds that an hour of audio takes, as fast as it goes, reading not counted.
 * @param pcm half a minute or more: starting FFmpeg and setting up its encoder is counted
 */
export async function cpuSecondsAnHour(
  ffmpeg: string,
  pcm: Buffer,
  coding: Omit<Coding, 'ffmpeg'>,
): Promise<number> {
  const reading = await encodingCpuSeconds(ffmpeg, pcm);
  const encoding = await encodingCpuSeconds(ffmpeg, pcm, coding);
  return ((encoding - reading) * HOUR_SECONDS * BYTES_A_SECOND) / pcm.length;
}

/** CPU of one live encoder, in percent of a core. */
export interface LiveCost {
  readonly twoloop: number;
  readonly fast: number;
}

/**
 * What FFmpegs use on air: two relays side by side, one for each coder, with as many vibes each and at the same time,
 * so that a restless machine hits both.
 */
export async function liveCost(options: { vibes: number; seconds: number }): Promise<LiveCost> {
  const { vibes, seconds } = options;
  const coders = ['twoloop', 'fast'] as const;
  const open: (() => Promise<void>)[] = [];
  try {
    const onAir: OnAir[] = [];
    for (const coder of coders) {
      const daemon = await Daemon.start({ AAC_CODER: coder, LOG_LEVEL: 'warn' });
      open.push(() => daemon.stop());
      const streams = new OnAir(daemon, 'relay', coder);
      open.push(() => streams.stop());
      onAir.push(streams);
    }
    await Promise.all(onAir.map((streams) => streams.grow(vibes)));
    const stretches = await Promise.all(onAir.map((streams) => streams.watch(seconds)));
    const [twoloop, fast] = stretches.map(({ cores, load }) => {
      if (load.faults.length > 0) throw new Error(`not all vibes were on air: ${load.faults.join(', ')}`);
      return (100 * cores.ffmpegs) / vibes;
    }) as [number, number];
    return { twoloop, fast };
  } finally {
    for (const close of open.reverse()) await close();
  }
}
