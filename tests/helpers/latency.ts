import { joinAdts } from './adts';
import { decode } from './ffmpeg';
import type { HeardFrame } from './flv-listener';
import { MUSIC_RATE } from './music';
import { sendOf, type Send } from './pacing';

/**
 * The method: a 10 ms tone burst every 500 ms, eight frequencies in turn, so that each burst is known. The received
 * AAC is decoded, each burst's first sample gives its AAC frame, and latency is that frame's arrival minus the
 * hand-over of the chunk that held the burst's first sample.
 */
const BURST_HZ = [1_000, 1_500, 2_000, 2_500, 3_000, 3_500, 4_000, 4_500] as const;
const BURST_SAMPLES = 480;
const BURST_PERIOD_SAMPLES = 24_000;
const FIRST_BURST_SAMPLES = 11_520;
const FRAME_SAMPLES = 1024;
const AMPLITUDE = 12_000;
/** A burst's first decoded sample above this; what the encoder smears before it stays well below. */
const THRESHOLD = AMPLITUDE / 3;
/** Longer than any burst with its smear, shorter than the distance of two bursts. */
const QUIET_SAMPLES = 9_600;

/** `seconds` of s16le stereo at 48 kHz, silent but for the bursts; the first one begins after a quarter second. */
export function burstSignal(seconds: number): Buffer {
  const samples = Math.round(seconds * MUSIC_RATE);
  const out = new Int16Array(samples * 2);
  for (let burst = 0; burstStart(burst) + BURST_SAMPLES <= samples; burst += 1) {
    const hz = BURST_HZ[burst % BURST_HZ.length] as number;
    for (let n = 0; n < BURST_SAMPLES; n += 1) {
      const value = Math.round(AMPLITUDE * Math.cos((2 * Math.PI * hz * n) / MUSIC_RATE));
      out[(burstStart(burst) + n) * 2] = value;
      out[(burstStart(burst) + n) * 2 + 1] = value;
    }
  }
  return Buffer.from(out.buffer);
}

/** The sample with which a burst begins: always the first one of a 20 ms chunk. */
export function burstStart(burst: number): number {
  return burst * BURST_PERIOD_SAMPLES + FIRST_BURST_SAMPLES;
}

/** The bursts in decoded s16le stereo: where each begins, and which of the eight frequencies it has. */
export function findBursts(decoded: Int16Array): { at: number; tone: number }[] {
  const found: { at: number; tone: number }[] = [];
  let lastLoud = -QUIET_SAMPLES;
  for (let at = 0; at * 2 < decoded.length; at += 1) {
    if (Math.abs(decoded[at * 2] as number) < THRESHOLD) continue;
    if (at - lastLoud >= QUIET_SAMPLES) found.push({ at, tone: toneAt(decoded, at) });
    lastLoud = at;
  }
  return found;
}

function toneAt(decoded: Int16Array, from: number): number {
  const powers = BURST_HZ.map((hz) => {
    let re = 0;
    let im = 0;
    for (let n = 0; n < BURST_SAMPLES; n += 1) {
      const value = decoded[(from + n) * 2] ?? 0;
      re += value * Math.cos((2 * Math.PI * hz * n) / MUSIC_RATE);
      im += value * Math.sin((2 * Math.PI * hz * n) / MUSIC_RATE);
    }
    return re * re + im * im;
  });
  return powers.indexOf(Math.max(...powers));
}

export interface Latency {
  /** Milliseconds from hand-over to audio tag, one for each burst, in the order of the bursts. */
  readonly eachMs: readonly number[];
  /** Distances of neighbouring bursts in the decoded audio, in samples: 24,000 unless something was lost or added. */
  readonly distances: readonly number[];
}

/**
 * Latencies of all bursts that were heard.
 * @throws {Error} where no burst was heard, or bursts came out of their order
 */
export async function latencies(heard: readonly HeardFrame[], sends: readonly Send[]): Promise<Latency> {
  const bursts = findBursts(await decode(joinAdts(heard.map((frame) => frame.aac)), 'aac'));
  const first = bursts[0];
  if (!first) throw new Error(`no burst in ${heard.length} frames`);
  const eachMs = bursts.map(({ at, tone }, index) => {
    const burst = first.tone + index;
    if (tone !== burst % BURST_HZ.length)
      throw new Error(`burst ${index} has tone ${tone}, not ${burst % 8}`);
    const frame = heard[Math.floor(at / FRAME_SAMPLES)];
    const send = sendOf(sends, burstStart(burst));
    if (!frame || !send) throw new Error(`burst ${burst} has no frame or was never sent`);
    return frame.atMs - send.atMs;
  });
  const distances = bursts.slice(1).map((burst, index) => burst.at - (bursts[index]?.at ?? 0));
  return { eachMs, distances };
}
