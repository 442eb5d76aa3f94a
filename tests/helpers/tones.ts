/** How loud one tone is in each channel of s16le stereo at 48 kHz, 1 being full scale. */
export function toneLevels(samples: Int16Array, hertz: number): [number, number] {
  const channels: [number, number] = [0, 0];
  const count = Math.floor(samples.length / 2);
  for (const channel of [0, 1] as const) {
    let real = 0;
    let imaginary = 0;
    for (let at = 0; at < count; at += 1) {
      const value = (samples[2 * at + channel] as number) / 32_768;
      const phase = (2 * Math.PI * hertz * at) / 48_000;
      real += value * Math.cos(phase);
      imaginary += value * Math.sin(phase);
    }
    channels[channel] = (2 * Math.hypot(real, imaginary)) / count;
  }
  return channels;
}
