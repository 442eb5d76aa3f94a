import { randomBytes } from 'node:crypto';
import { performance } from 'node:perf_hooks';
import type { Daemon } from '../../helpers/daemon';
import { delay, eventually } from '../../helpers/eventually';
import { FlvListener } from '../../helpers/flv-listener';
import { freePort } from '../../helpers/free-port';
import { httpRequest, jsonRequest } from '../../helpers/http-request';
import { EMBEDDED, type MediaServerUnderTest } from '../../helpers/media-servers';
import type { MetricsText } from '../../helpers/metrics-text';
import { openDescriptors, type ProcessEntry, readProcess } from '../../helpers/processes';
import { kill } from '../faults/signals';
import { NumberedCreator } from './creator';
import { Ear, type Listening } from './ear';
import { HlsEar } from './hls-ear';
import { Inspector } from './inspector';

/** One line of the daemon's log. */
export interface LogLine {
  readonly level: string;
  readonly msg: string;
  readonly vibeId?: string;
  readonly [member: string]: unknown;
}

/** The daemon at one moment, as far as it may not grow. */
export interface Standing {
  readonly metrics: MetricsText;
  readonly heapBytes: number;
  readonly daemonPid: number;
  readonly daemonDescriptors: number;
  readonly mediaServer: { readonly pid: number; readonly descriptors: number };
}

export interface StageOptions {
  /** What takes the encoders' RTMP; the embedded media server unless told. */
  readonly media?: MediaServerUnderTest;
  /** Called before the first vibe: for what stands between the daemon and others. */
  readonly onReady?: (daemon: Daemon) => void;
  /** Where SRS calls its hooks, where something stands between it and the daemon. */
  readonly hooksPort?: number;
}

/** As the supervisor of SRS does before its first try. */
const SUPERVISOR_WAITS_MS = 300;
/** Held before it goes on air, so that this machine's own stalls are nobody's underrun. */
const PREBUFFER_MS = 500;

/** A daemon on which faults are tried one after the other, with its inspector, and what may never appear in its log. */
export class Stage {
  readonly media: MediaServerUnderTest;
  readonly daemon: Daemon;
  readonly inspector: Inspector;
  /** Vibes that are over, and since when, on the monotonic clock. */
  readonly ended = new Map<string, number>();
  readonly #secrets = new Set<string>();
  /** Of all FFmpegs seen: what each publishes with. */
  readonly #tokens = new Set<string>();

  private constructor(media: MediaServerUnderTest, daemon: Daemon, inspector: Inspector, hookSecret: string) {
    this.media = media;
    this.daemon = daemon;
    this.inspector = inspector;
    this.#secrets.add(hookSecret);
  }

  /** @param env settings beside those that all stages have */
  static async open(
    env: Readonly<Record<string, string>> = {},
    { media = EMBEDDED, onReady = () => undefined, hooksPort }: StageOptions = {},
  ): Promise<Stage> {
    const port = await freePort();
    const hookSecret = `CANARY_${randomBytes(16).toString('hex')}`;
    const settings = {
      PREBUFFER_MS: String(PREBUFFER_MS),
      HOOK_SECRET: hookSecret,
      NODE_OPTIONS: `--inspect=127.0.0.1:${port}`,
      ...env,
    };
    const daemon = await media.start(settings, { hooksPort });
    onReady(daemon);
    const stage = new Stage(media, daemon, await Inspector.connect(port), hookSecret);
    await stage.#warmUp();
    return stage;
  }

  /** What nobody may be shown who has not got it. */
  get secrets(): readonly string[] {
    return [...this.#secrets];
  }

  /** What all FFmpegs seen so far have published with. */
  get publishTokens(): readonly string[] {
    return [...this.#tokens];
  }

  /** Starts a vibe that only who started it may feed. @returns the key to it, which no log may show */
  async claim(vibeId: string): Promise<string> {
    const url = `${this.daemon.apiUrl}/stream/${vibeId}/start`;
    const { status, json } = await jsonRequest(url, {
      method: 'POST',
      json: { creator: 'noise', claim: true },
    });
    if (status !== 201) throw new Error(`start: ${status} ${JSON.stringify(json)}`);
    const ownerKey = json['ownerKey'] as string;
    this.#secrets.add(ownerKey);
    return ownerKey;
  }

  async end(vibeId: string, ownerKey: string): Promise<void> {
    const answer = await httpRequest(`${this.daemon.apiUrl}/stream/${vibeId}/end`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${ownerKey}` },
      body: JSON.stringify({ creator: 'noise' }),
      withinMs: 60_000,
    });
    if (answer.status !== 200) throw new Error(`end: ${answer.status} ${answer.body.toString()}`);
  }

  /**
   * A listener of whom the media server knows: what is published from now on reaches it.
   * @param url behind a proxy, or of a playlist
   */
  async listen(vibeId: string, url = this.daemon.flvUrl(vibeId)): Promise<Listening> {
    if (url.endsWith('.m3u8')) return new HlsEar(url);
    if (url === this.daemon.flvUrl(vibeId)) return new Ear(url, await this.daemon.listen(vibeId));
    if (!this.daemon.srs) return Ear.open(url);
    const listeners = async (): Promise<unknown> => (await this.daemon.status(vibeId))?.['listeners'];
    const before = await listeners();
    const first = await FlvListener.join(url);
    await eventually('SRS lets a listener in', async () => (await listeners()) !== before);
    return new Ear(url, first);
  }

  /** Ends a vibe, and waits until it is over and its listener has heard the end of it. */
  async playOut(vibeId: string, ownerKey: string, ear: Listening): Promise<void> {
    await this.end(vibeId, ownerKey);
    await eventually(
      `${vibeId} has ended`,
      async () => {
        const status = await this.daemon.status(vibeId);
        return (!status || status['state'] === 'ended') && !ear.isConnected;
      },
      { withinMs: 60_000 },
    );
    this.ended.set(vibeId, performance.now());
    await ear.leave();
  }

  /** The one FFmpeg of a vibe. @throws {Error} where there is none, or more than one */
  encoderOf(vibeId: string): ProcessEntry {
    const encoders = this.encoders(vibeId);
    const [encoder] = encoders;
    if (!encoder || encoders.length > 1) throw new Error(`${encoders.length} FFmpegs of ${vibeId}, not one`);
    return encoder;
  }

  /** The media server's process. @throws {Error} where there is none */
  mediaServer(): ProcessEntry {
    const { srs } = this.daemon;
    const found = srs ? readProcess(srs.pid) : this.daemon.mediaServerProcess();
    if (!found) throw new Error('no media server process');
    return found;
  }

  /**
   * Kills the media server, and has it back: the daemon starts the embedded one again, and SRS's supervisor SRS.
   * @returns when it was killed, and the process that is gone
   */
  async killMediaServer(): Promise<{ readonly atMs: number; readonly pid: number }> {
    const server = this.mediaServer();
    const atMs = await kill(server);
    if (this.daemon.srs) {
      await delay(SUPERVISOR_WAITS_MS);
      await this.daemon.srs.run();
    }
    return { atMs, pid: server.pid };
  }

  /** The log from a place in it on (`mark`). */
  log(from = 0): LogLine[] {
    return this.daemon.output
      .slice(from)
      .split('\n')
      .flatMap((line) => (line.startsWith('{') ? [JSON.parse(line) as LogLine] : []));
  }

  /** Where the log ends now. */
  get mark(): number {
    return this.daemon.output.length;
  }

  async standing(): Promise<Standing> {
    const mediaServer = this.mediaServer().pid;
    return {
      metrics: await this.daemon.metrics(),
      heapBytes: await this.inspector.heapBytes(),
      daemonPid: this.daemon.pid,
      daemonDescriptors: openDescriptors(this.daemon.pid),
      mediaServer: { pid: mediaServer, descriptors: openDescriptors(mediaServer) },
    };
  }

  async close(): Promise<void> {
    this.inspector.close();
    await this.daemon.stop();
  }

  /** As `Daemon.encoders`; the publish tokens in their arguments may be nowhere else. */
  encoders(vibeId?: string): ProcessEntry[] {
    const found = this.daemon.encoders(vibeId);
    for (const { argv } of found)
      for (const arg of argv) {
        const token = /[?&]token=([\w%-]+)/.exec(arg)?.[1];
        if (token) this.#tokens.add(token);
      }
    return found;
  }

  /** A vibe from beginning to end, so that what is made once is made: the measure of what an act leaves behind. */
  async #warmUp(): Promise<void> {
    const ownerKey = await this.claim('warm-up');
    const ear = await this.listen('warm-up');
    const creator = new NumberedCreator({
      ...{ apiUrl: this.daemon.apiUrl, vibeId: 'warm-up', seed: 1, ownerKey },
    });
    creator.start();
    await ear.hears(10);
    await creator.stop();
    await this.playOut('warm-up', ownerKey, ear);
  }
}
