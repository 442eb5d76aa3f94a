import { type ChildProcess, spawn } from 'node:child_process';
import { Metrics } from '../../src/base/metrics';
import { EmbeddedMediaServer } from '../../src/media-server/embedded';
import type { MediaServer, MediaServerEvents } from '../../src/media-server/media-server';
import { Compiled } from './compiled';
import { FFMPEG, QUIET } from './ffmpeg';
import { FlvListener } from './flv-listener';
import { freePorts } from './free-port';
import { HANGS_AFTER_MS } from './patience';
import { silentLogger } from './silent-logger';

const EVENTS = ['health', 'published', 'unpublished', 'received', 'listeners', 'cut'] as const;

/** An embedded media server on free ports, with its real process, and everything that it has told. */
export class MediaHouse {
  readonly server: EmbeddedMediaServer;
  readonly metrics = new Metrics();
  readonly httpUrl: string;
  readonly #told: { [E in keyof MediaServerEvents]: MediaServerEvents[E][0][] } = {
    health: [],
    published: [],
    unpublished: [],
    received: [],
    listeners: [],
    cut: [],
  };
  readonly #publishers = new Map<ChildProcess, Promise<unknown>>();

  private constructor(
    readonly rtmpPort: number,
    readonly httpPort: number,
    childPath: string,
    pidFile?: string,
  ) {
    this.httpUrl = `http://127.0.0.1:${httpPort}`;
    this.server = new EmbeddedMediaServer({
      rtmpPort,
      httpHost: '127.0.0.1',
      httpPort,
      version: '1.2.3',
      logger: silentLogger,
      metrics: this.metrics,
      childPath,
      ...(pidFile !== undefined && { pidFile }),
    });
    for (const event of EVENTS) this.#remember(event);
  }

  #remember<E extends keyof MediaServerEvents>(event: E): void {
    const server: MediaServer = this.server;
    const told: unknown[] = this.#told[event];
    server.on(event, (...args) => void told.push(args[0]));
  }

  /** @param ports free ones unless told */
  static async create(
    compiled: Compiled,
    ports: { rtmp?: number; http?: number; pidFile?: string } = {},
  ): Promise<MediaHouse> {
    const [rtmp, http] = await freePorts(2);
    return new MediaHouse(
      ports.rtmp ?? (rtmp as number),
      ports.http ?? (http as number),
      compiled.file('media-server/embedded/child'),
      ports.pidFile,
    );
  }

  /** The rooms that the media server's process consists of. */
  static compile(): Compiled {
    return new Compiled(['base', 'media-server']);
  }

  told<E extends keyof MediaServerEvents>(event: E): MediaServerEvents[E][0][] {
    return this.#told[event];
  }

  /** Resolves when something told of this kind meets the condition; what was told before counts. */
  async until<E extends keyof MediaServerEvents>(
    event: E,
    condition: (told: MediaServerEvents[E][0]) => boolean = () => true,
    withinMs = HANGS_AFTER_MS,
  ): Promise<MediaServerEvents[E][0]> {
    return new Promise((resolve, reject) => {
      const done = (): void => {
        clearTimeout(timer);
        this.server.off(event, look as never);
      };
      const look = (): void => {
        const found = this.#told[event].find(condition);
        if (!found) return;
        done();
        resolve(found);
      };
      const timer = setTimeout(() => {
        done();
        reject(new Error(`not told within ${withinMs} ms: ${event}; told: ${JSON.stringify(this.#told)}`));
      }, withinMs);
      this.server.on(event, look as never);
      look();
    });
  }

  flvUrl(vibeId: string): string {
    return `${this.httpUrl}/live/${vibeId}.flv`;
  }

  hlsUrl(vibeId: string): string {
    return `${this.httpUrl}/live/${vibeId}.m3u8`;
  }

  async listen(vibeId: string): Promise<FlvListener> {
    return FlvListener.connect(this.flvUrl(vibeId));
  }

  /**
   * Publishes PCM (48 kHz, stereo, s16le) with FFmpeg, as fast as it goes unless `realTime`.
   * @returns FFmpeg's process; `close()` ends it where a test does not
   */
  publish(
    vibeId: string,
    pcm: Buffer,
    options: { token?: string; realTime?: boolean; bitrate?: string; coder?: string; url?: string } = {},
  ): { process: ChildProcess; ended: Promise<number | null> } {
    const { token = 'token', realTime = false, bitrate = '128k', coder = 'twoloop' } = options;
    const input = [...(realTime ? ['-re'] : []), '-f', 's16le', '-ar', '48000', '-ac', '2', '-i', 'pipe:0'];
    const output = [
      '-c:a',
      'aac',
      '-aac_coder',
      coder,
      '-b:a',
      bitrate,
      '-flvflags',
      'no_duration_filesize',
      '-f',
      'flv',
    ];
    const quiet = QUIET.filter((option) => option !== '-nostdin');
    const process = spawn(
      FFMPEG,
      [...quiet, ...input, ...output, options.url ?? this.server.publishUrl(vibeId, token)],
      { stdio: ['pipe', 'ignore', 'ignore'] },
    );
    process.stdin.on('error', () => undefined);
    process.stdin.end(pcm);
    const ended = new Promise<number | null>((resolve) =>
      process.once('exit', (code) => {
        this.#publishers.delete(process);
        resolve(code);
      }),
    );
    this.#publishers.set(process, ended);
    return { process, ended };
  }

  async close(): Promise<void> {
    for (const process of this.#publishers.keys()) process.kill('SIGKILL');
    await Promise.all(this.#publishers.values());
    await this.server.close();
  }
}
