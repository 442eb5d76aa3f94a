import { answerQuestions } from '../lib/asked-process';
import type { LoadAnswer, LoadOrder } from './messages';
import type { Metronome } from './metronome';

/** Streams begin so far apart: as fast as the relay starts encoders. */
export const APART_MS = 100;

/** One kind of load: streams that begin when they are asked for, and end together. */
export interface Load {
  readonly metronome: Metronome;
  readonly pids: readonly number[];
  /** Resolves when all of them have begun. */
  grow(order: Extract<LoadOrder, { type: 'grow' }>): Promise<void>;
  /** Resolves when all of them are over. */
  stop(): Promise<void>;
  /** What went wrong since the last time that this was asked. */
  takeFaults(): string[];
}

/** Makes this process a load's: does what its parent tells it, and goes with its parent. */
export function obey(load: Load): void {
  answerQuestions(async (order: LoadOrder): Promise<LoadAnswer> => {
    if (order.type === 'grow') await load.grow(order);
    if (order.type === 'stop') await load.stop();
    return { pids: load.pids, lateness: load.metronome.takeLateness(), faults: load.takeFaults() };
  });
}
