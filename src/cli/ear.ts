import { spawn, type ChildProcess } from 'node:child_process';
import { DEFAULT_FORMAT } from '../audio/pcm';
import { type Level, LevelMeter } from '../audio/level';
import { adtsFrame } from '../media-server/flv';

/** Decodes AAC frames with FFmpeg and measures how loud they are. */
export class Ear {
  /** The level of the latest tenth of a second, and the highest peak so far. */
  latest: Level | undefined;
  highestPeakDbfs = -120;
  readonly #child: ChildProcess;
  readonly #gone: Promise<void>;
  #rest: Buffer = Buffer.alloc(0);

  constructor(ffmpeg: string) {
    const input = ['-probesize', '32', '-analyzeduration', '0', '-f', 'aac', '-i', 'pipe:0'];
    const output = ['-f', 's16le', '-ar', '48000', '-ac', '2', '-flush_packets', '1', 'pipe:1'];
    const args = ['-hide_banner', '-loglevel', 'quiet', ...input, ...output];
    this.#child = spawn(ffmpeg, args, { stdio: ['pipe', 'pipe', 'ignore'] });
    this.#gone = new Promise((resolve) => {
      this.#child.once('error', () => resolve());
      this.#child.once('close', () => resolve());
    });
    const meter = new LevelMeter(DEFAULT_FORMAT, (level) => {
      this.latest = level;
      this.highestPeakDbfs = Math.max(this.highestPeakDbfs, level.peakDbfs);
    });
    // An FFmpeg that has ended takes no more; the level then stands still.
    this.#child.stdin?.on('error', () => undefined);
    this.#child.stdout?.on('data', (bytes: Buffer) => {
      const all = this.#rest.length > 0 ? Buffer.concat([this.#rest, bytes]) : bytes;
      const whole = all.length - (all.length % 4);
      meter.measure(all.subarray(0, whole));
      this.#rest = all.subarray(whole);
    });
  }

  /** @param raw one AAC frame, AAC-LC 48 kHz stereo */
  hear(raw: Buffer): void {
    this.#child.stdin?.write(adtsFrame(raw));
  }

  /** Hears out what it was given, then ends. Idempotent. */
  async close(): Promise<void> {
    this.#child.stdin?.end();
    const timer = setTimeout(() => this.#child.kill('SIGKILL'), 2_000);
    await this.#gone;
    clearTimeout(timer);
  }
}
