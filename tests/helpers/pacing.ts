import { performance } from 'node:perf_hooks';
import { delay } from './eventually';
import { MUSIC_RATE, MUSIC_SAMPLE_BYTES, seededRandom } from './music';

/** How a creator hands its audio over. */
export interface Pacing {
  /** Length of one chunk, 20 unless told. */
  readonly chunkMs?: number;
  /** The first so many milliseconds are sent at once: a creator that is ahead by that much. 0 unless told. */
  readonly leadMs?: number;
  /** Each chunk is sent up to so much earlier or later than due, evenly distributed. */
  readonly jitterMs?: number;
  readonly seed?: number;
  /** How much faster than the true rate the creator's clock runs, in parts per million. */
  readonly driftPpm?: number;
  /** Bytes of one sample of all channels, and samples a second. 48 kHz stereo s16 unless told. */
  readonly sampleBytes?: number;
  readonly rate?: number;
}

/** One hand-over: when it began, on the monotonic clock, and which samples it carried. */
export interface Send {
  readonly atMs: number;
  readonly fromSample: number;
  readonly samples: number;
}

/** Cuts PCM into chunks of `chunkMs`; the last one may be shorter. Views, not copies. */
export function chunks(pcm: Buffer, pacing: Pacing): Buffer[] {
  const { chunkMs = 20, rate = MUSIC_RATE, sampleBytes = MUSIC_SAMPLE_BYTES } = pacing;
  const bytes = Math.round((chunkMs * rate) / 1000) * sampleBytes;
  const cut: Buffer[] = [];
  for (let at = 0; at < pcm.length; at += bytes) cut.push(pcm.subarray(at, at + bytes));
  return cut;
}

/** When each chunk is due, in milliseconds after the first one, jitter included. Never negative. */
export function dueTimes(count: number, pacing: Pacing): number[] {
  const { chunkMs = 20, leadMs = 0, jitterMs = 0, driftPpm = 0 } = pacing;
  const random = seededRandom(pacing.seed ?? 1);
  return Array.from({ length: count }, (_, index) => {
    const jitter = jitterMs === 0 ? 0 : (random() * 2 - 1) * jitterMs;
    return Math.max(0, (index * chunkMs) / (1 + driftPpm / 1e6) - leadMs + jitter);
  });
}

/** Time as creators have it; tests of the pacing itself bring their own. */
const REAL_TIME = { nowMs: () => performance.now(), wait: delay };

/**
 * Hands `pcm` over in chunks, in order, each at its due time on the monotonic clock: delays do not add up. A chunk
 * whose predecessor's `handOver` takes too long goes out right after it.
 */
export async function paced(
  pcm: Buffer,
  pacing: Pacing,
  handOver: (chunk: Buffer, index: number) => Promise<void> | void,
  time = REAL_TIME,
): Promise<Send[]> {
  const cut = chunks(pcm, pacing);
  const due = dueTimes(cut.length, pacing);
  const sampleBytes = pacing.sampleBytes ?? MUSIC_SAMPLE_BYTES;
  const sends: Send[] = [];
  const startMs = time.nowMs();
  let fromSample = 0;
  for (const [index, chunk] of cut.entries()) {
    const leftMs = startMs + (due[index] as number) - time.nowMs();
    if (leftMs > 0) await time.wait(leftMs);
    const samples = chunk.length / sampleBytes;
    sends.push({ atMs: time.nowMs(), fromSample, samples });
    fromSample += samples;
    await handOver(chunk, index);
  }
  return sends;
}

/**
 * How late, at worst, a creator was with its own hand-overs, in milliseconds: more than its lead, and what listeners
 * then miss is no fault of the relay's.
 */
export function worstLatenessMs(sends: readonly Send[], pacing: Pacing): number {
  return Math.max(0, ...latenesses(sends, pacing));
}

/** How late a creator was with each hand-over, in milliseconds; negative where it was early. */
export function latenesses(sends: readonly Send[], pacing: Pacing): number[] {
  const due = dueTimes(sends.length, pacing);
  const startMs = (sends[0]?.atMs ?? 0) - (due[0] ?? 0);
  return sends.map((send, index) => send.atMs - startMs - (due[index] as number));
}

/** The hand-over that carried a sample. */
export function sendOf(sends: readonly Send[], sample: number): Send | undefined {
  return sends.find((send) => sample >= send.fromSample && sample < send.fromSample + send.samples);
}
