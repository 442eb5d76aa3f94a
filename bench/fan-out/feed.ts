import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { FFMPEG, QUIET } from '../../tests/helpers/ffmpeg';
import { music } from '../../tests/helpers/music';
import { FlvParser } from '../../src/media-server/flv';

const SECONDS = 20;
const FLV = 'flvflags=no_duration_filesize:flush_packets=1:tcp_nodelay=1';

/** What was sent between two moments. */
export interface Sent {
  readonly tags: number;
  /** Of whole FLV tags, framing included. */
  readonly bytes: number;
}

/**
 * One FFmpeg that encodes music at 128 kbit/s, at real-time pace, over and over. It sends what it makes to a server, and the
 * same to here, where it is counted: so much everybody must have heard.
 */
export class Feed {
  readonly #child: ChildProcess;
  readonly #directory: string;
  readonly #ended: Promise<void>;
  #tags = 0;
  #bytes = 0;
  #said = '';

  /**
   * @param url where to
   * @param muxer `flv` for RTMP and bare sockets, `adts` for Icecast; with options, as FFmpeg's tee takes them
   */
  constructor(url: string, muxer = `f=flv:${FLV}`) {
    this.#directory = mkdtempSync(path.join(os.tmpdir(), 'vibesflow-feed-'));
    const file = path.join(this.#directory, 'music.pcm');
    writeFileSync(file, music(SECONDS, 5));
    const input = ['-re', '-stream_loop', '-1', '-f', 's16le', '-ar', '48000', '-ac', '2', '-i', file];
    const coder = ['-map', '0:a', '-c:a', 'aac', '-b:a', '128k', '-flags', '+global_header'];
    const outputs = `[${muxer}]${url}|[f=flv:${FLV}]pipe:1`;
    this.#child = spawn(FFMPEG, [...QUIET, ...input, ...coder, '-f', 'tee', outputs], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const parser = new FlvParser({
      onTag: ({ body }) => {
        this.#tags += 1;
        this.#bytes += body.length + 15;
      },
    });
    this.#child.stdout?.on('data', (bytes: Buffer) => parser.push(bytes));
    this.#child.stderr?.on('data', (bytes: Buffer) => (this.#said += bytes.toString()));
    this.#ended = new Promise((resolve) => this.#child.once('close', () => resolve()));
  }

  /** All that was sent so far. @throws {Error} with what FFmpeg said, when it has ended by itself */
  get sent(): Sent {
    if (this.#child.exitCode !== null) throw new Error(`FFmpeg gave up: ${this.#said}`);
    return { tags: this.#tags, bytes: this.#bytes };
  }

  async stop(): Promise<void> {
    this.#child.kill('SIGTERM');
    await this.#ended;
    rmSync(this.#directory, { recursive: true, force: true });
  }
}
