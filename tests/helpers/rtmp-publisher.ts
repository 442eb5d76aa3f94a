import { spawn, type ChildProcess } from 'node:child_process';
import { FFMPEG, QUIET } from './ffmpeg';

/** An FFmpeg that publishes a tone, AAC alone, at real-time pace, until it is told to stop. */
export class RtmpPublisher {
  /** What it said and how it ended, once it did: an end by itself means that it was refused or cut. */
  readonly ended: Promise<{ exitCode: number | null; signal: NodeJS.Signals | null; said: string }>;
  readonly #child: ChildProcess;

  constructor(url: string, hz = 440) {
    const input = ['-re', '-f', 'lavfi', '-i', `sine=frequency=${hz}:sample_rate=48000`];
    const output = ['-ac', '2', '-c:a', 'aac', '-b:a', '128k', '-flvflags', 'no_duration_filesize'];
    this.#child = spawn(
      FFMPEG,
      [...QUIET, ...input, ...output, '-rw_timeout', '5000000', '-tcp_nodelay', '1', '-f', 'flv', url],
      { stdio: ['ignore', 'ignore', 'pipe'] },
    );
    let said = '';
    this.#child.stderr?.on('data', (bytes: Buffer) => (said += bytes.toString()));
    this.ended = new Promise((resolve) =>
      this.#child.once('close', (exitCode, signal) => resolve({ exitCode, signal, said })),
    );
  }

  get isRunning(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }

  /** Ends it with a signal, and waits until it is gone. Idempotent. */
  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
    this.#child.kill(signal);
    await this.ended;
  }
}
