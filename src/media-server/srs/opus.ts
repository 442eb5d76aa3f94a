/** Of every Opus stream, whatever it was made from. */
export const OPUS_RATE = 48_000;
/** Samples of one frame, by the configuration in the first byte's upper five bits (RFC 6716, table 2). */
const SILK = [480, 960, 1920, 2880];
const HYBRID = [480, 960];
const CELT = [120, 240, 480, 960];
/** RFC 6716 allows no packet above 120 ms. */
const MAX_SAMPLES = 5_760;

/** How long an Opus packet lasts, in samples at 48 kHz. @returns 0 for what is no packet */
export function opusSamples(packet: Buffer): number {
  const first = packet[0];
  if (first === undefined) return 0;
  const configuration = first >> 3;
  const frame =
    configuration < 12
      ? SILK[configuration % 4]
      : configuration < 16
        ? HYBRID[configuration % 2]
        : CELT[configuration % 4];
  const samples = (frame as number) * frames(first & 3, packet);
  return samples <= MAX_SAMPLES ? samples : 0;
}

/** Two codes for one frame and two; in the last, the second byte counts them. */
function frames(code: number, packet: Buffer): number {
  if (code === 0) return 1;
  return code < 3 ? 2 : (packet[1] ?? 0) & 0x3f;
}

const SILENT_20_MS = Buffer.from([0xfc, 0xff, 0xfe]);
const SILENT_10_MS = Buffer.from([0xf4, 0xff, 0xfe]);

/** Packets of silence, as many as fit into that many samples: what stands in for packets that were lost. */
export function silentOpus(samples: number): Buffer[] {
  const packets = Array.from({ length: Math.floor(samples / 960) }, () => SILENT_20_MS);
  return samples % 960 >= 480 ? [...packets, SILENT_10_MS] : packets;
}
