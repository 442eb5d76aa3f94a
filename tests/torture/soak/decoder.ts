import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import os from 'node:os';
import { joinAdts } from '../../helpers/adts';
import { FFMPEG, QUIET } from '../../helpers/ffmpeg';

const ARGUMENTS = [
  ...QUIET,
  ...['-threads', '1', '-probesize', '32', '-analyzeduration', '0', '-f', 'aac', '-i', 'pipe:0'],
  ...['-filter_threads', '1', '-af', 'pan=mono|c0=c0', '-flush_packets', '1', '-f', 's16le', 'pipe:1'],
];

/**
 * Decodes the AAC frames of one listener for as long as they come, as the player does that stays: the left channel, 1024
 * samples for each frame.
 */
export class Decoder {
  readonly #child: ChildProcess;
  readonly #closed: Promise<void>;
  readonly #onSamples: (samples: Float32Array<ArrayBuffer>) => void;
  #odd: Buffer = Buffer.alloc(0);
  #said = '';

  constructor(onSamples: (samples: Float32Array<ArrayBuffer>) => void) {
    this.#onSamples = onSamples;
    this.#child = spawn(FFMPEG, ARGUMENTS, { stdio: ['pipe', 'pipe', 'pipe'] });
    // It may wait; what is listened to may not.
    if (this.#child.pid !== undefined) os.setPriority(this.#child.pid, os.constants.priority.PRIORITY_LOW);
    this.#child.stdout?.on('data', (bytes: Buffer) => this.#take(bytes));
    this.#child.stderr?.on('data', (bytes: Buffer) => (this.#said += bytes.toString().slice(0, 200)));
    this.#child.stdin?.on('error', () => undefined);
    this.#closed = once(this.#child, 'close').then(() => undefined);
    this.#closed.catch(() => undefined);
  }

  /** What it complained of; nothing where all is well. */
  get complaints(): string {
    return this.#said;
  }

  push(frames: readonly Buffer[]): void {
    this.#child.stdin?.write(joinAdts(frames));
  }

  /** Resolves when the last sample has been handed on. */
  async finish(): Promise<void> {
    this.#child.stdin?.end();
    await this.#closed;
  }

  #take(bytes: Buffer): void {
    const all = this.#odd.length > 0 ? Buffer.concat([this.#odd, bytes]) : bytes;
    const samples = new Float32Array(all.length >> 1);
    for (let at = 0; at < samples.length; at += 1) samples[at] = all.readInt16LE(2 * at);
    this.#odd = all.subarray(samples.length * 2);
    this.#onSamples(samples);
  }
}
