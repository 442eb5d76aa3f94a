/**
 * The time of a stream, counted in AAC frames. Publishers round each time stamp to a millisecond, and a new one
 * starts at zero; a count never drifts, and goes on over publishers.
 */
export class FrameClock {
  /** Seconds before the current rate began to count. */
  #baseSeconds = 0;
  #frames = 0;
  #frameSamples = 1024;
  #sampleRate = 48_000;

  /** The next frames are of this length. The time so far stays. */
  setFormat(format: { sampleRate: number; frameSamples: number }): void {
    if (format.sampleRate === this.#sampleRate && format.frameSamples === this.#frameSamples) return;
    this.#baseSeconds = this.#scaled(1);
    this.#frames = 0;
    this.#sampleRate = format.sampleRate;
    this.#frameSamples = format.frameSamples;
  }

  /** When the next frame begins, in whole milliseconds: FLV's unit. */
  get ms(): number {
    return Math.round(this.#scaled(1_000));
  }

  /** When the next frame begins, in ticks of 90 kHz, the unit of MPEG-TS: exactly 1920 a frame at 48 kHz. */
  get ticks(): number {
    return Math.round(this.#scaled(90_000));
  }

  /** How long one frame is now, in seconds. */
  get frameSeconds(): number {
    return this.#frameSamples / this.#sampleRate;
  }

  advance(): void {
    this.#frames += 1;
  }

  #scaled(unitsASecond: number): number {
    return (
      this.#baseSeconds * unitsASecond + (this.#frames * this.#frameSamples * unitsASecond) / this.#sampleRate
    );
  }
}
