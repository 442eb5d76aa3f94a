import { performance } from 'node:perf_hooks';
import type { Daemon } from '../../tests/helpers/daemon';
import { delay, eventually } from '../../tests/helpers/eventually';
import { httpRequest } from '../../tests/helpers/http-request';
import type { MetricsText } from '../../tests/helpers/metrics-text';
import type { LoadAnswer } from './messages';
import { bucketsOf, type Buckets, bucketsBetween, bucketQuantile } from './buckets';
import { Load } from './load';
import { machineSeconds } from './machine-time';
import { CpuMeter, pssBytes } from '../lib/usage';

/** Who runs the FFmpegs: the relay, or a process that does nothing but feed them (the floor). */
export type Feeder = 'relay' | 'by hand';

/** What a while on air took, in cores, and how it went. */
export interface Stretch {
  readonly seconds: number;
  readonly cores: Readonly<Record<'daemon' | 'ffmpegs' | 'mediaServer' | 'load', number>>;
  /** Share of the machine's time that nobody used, and that its host gave to others. */
  readonly idle: number;
  readonly stolen: number;
  /** Of the relay: times that a vibe's buffer ran empty, and the 99th percentile of its ticks' lateness. */
  readonly underruns: number;
  readonly tickP99Ms: number;
  /** The most that lay in a buffer at the end. */
  readonly bufferedSeconds: number;
  /** Streams of which the media server got less than was due, by more than a segment of HLS and a second. */
  readonly behind: number;
  readonly load: LoadAnswer;
}

/** What the relay counts, besides what everybody can see. */
interface Counts {
  readonly underruns: number;
  readonly lateness: Buckets;
  readonly bufferedSeconds: number;
}

/** What follows the start of streams: buffers that fill up, JavaScript that is compiled. */
const SETTLE_MS = 3_000;
/** Of an HLS segment: 93 AAC frames. */
const SEGMENT_SECONDS = (93 * 1024) / 48_000;
/** Beginning and end may each lie just beside a segment's edge. */
const SLACK_SECONDS = SEGMENT_SECONDS + 1;

/** Streams on air at a daemon's media server, as many as are wanted: vibes, or FFmpegs that are fed by hand. */
export class OnAir {
  readonly #daemon: Daemon;
  readonly #feeder: Feeder;
  readonly #coder: string;
  readonly #load: Load;
  readonly #names: string[] = [];
  readonly #prefix: string;
  #handFed: readonly number[] = [];

  /** @param coder of FFmpegs that are fed by hand; the relay has its setting */
  constructor(daemon: Daemon, feeder: Feeder, coder: string) {
    this.#daemon = daemon;
    this.#feeder = feeder;
    this.#coder = coder;
    this.#prefix = `${feeder === 'relay' ? 'vibe' : 'hand'}-${Math.round(performance.now())}`;
    this.#load = Load.start(feeder === 'relay' ? 'creators' : 'hand-fed');
  }

  get names(): readonly string[] {
    return this.#names;
  }

  /** Begins streams until there are `count`; resolves when all of them are on air and have settled. */
  async grow(count: number): Promise<void> {
    const { apiUrl, rtmpPort } = this.#daemon;
    const url = this.#feeder === 'relay' ? apiUrl : `rtmp://127.0.0.1:${rtmpPort}/live`;
    const names = Array.from(
      { length: count - this.#names.length },
      (_, index) => `${this.#prefix}-${this.#names.length + index}`,
    );
    this.#names.push(...names);
    const { pids } = await this.#load.grow({ names, url, coder: this.#coder });
    this.#handFed = pids;
    for (const name of names) await eventually(`${name} is on air`, () => this.#publishedSegments(name));
    await delay(SETTLE_MS);
  }

  /** Watches for so long. */
  async watch(seconds: number): Promise<Stretch> {
    await this.#load.report();
    const before = await this.#counts();
    const segments = await this.#segments();
    const groups = {
      daemon: [this.#daemon.pid],
      ffmpegs: this.#ffmpegs(),
      mediaServer: [this.#mediaServerPid()],
      load: [this.#load.pid],
    };
    const machine = machineSeconds();
    const meter = new CpuMeter(groups);
    await delay(seconds * 1000);
    const cores = meter.read();
    const spent = machineSeconds();
    const publishedSeconds = (await this.#segments()).map(
      ({ atMs, count }, index) =>
        (count - (segments[index]?.count ?? 0)) * SEGMENT_SECONDS -
        (atMs - (segments[index]?.atMs ?? 0)) / 1000,
    );
    const after = await this.#counts();
    const load = await this.#load.report();
    const all = spent.all - machine.all;
    return {
      seconds,
      cores,
      idle: (spent.idle - machine.idle) / all,
      stolen: (spent.stolen - machine.stolen) / all,
      underruns: after.underruns - before.underruns,
      tickP99Ms: bucketQuantile(bucketsBetween(before.lateness, after.lateness), 0.99) * 1000,
      bufferedSeconds: after.bufferedSeconds,
      behind: publishedSeconds.filter((ahead) => ahead < -SLACK_SECONDS).length,
      load: {
        ...load,
        faults: [...load.faults, ...this.#missing(groups.ffmpegs)],
      },
    };
  }

  /** Bytes of memory (PSS) now. */
  memory(): Record<'daemon' | 'ffmpegs' | 'mediaServer', number> {
    const sum = (pids: readonly number[]): number => pids.reduce((total, pid) => total + pssBytes(pid), 0);
    return {
      daemon: pssBytes(this.#daemon.pid),
      ffmpegs: sum(this.#ffmpegs()),
      mediaServer: pssBytes(this.#mediaServerPid()),
    };
  }

  /** Ends all streams. */
  async stop(): Promise<void> {
    if (this.#feeder === 'relay')
      for (const name of this.#names)
        await this.#daemon.endVibe(name, { drain: false }).catch(() => undefined);
    await this.#load.stop();
    await eventually('the streams are over', () => this.#ffmpegs().length === 0);
  }

  #ffmpegs(): readonly number[] {
    if (this.#feeder === 'by hand') return this.#handFed.filter((pid) => isRunning(pid));
    return this.#daemon.encoders().map(({ pid }) => pid);
  }

  #missing(before: readonly number[]): string[] {
    const now = new Set(this.#ffmpegs());
    const gone = before.filter((pid) => !now.has(pid)).length;
    const never = this.#names.length - before.length;
    return [
      ...(never > 0 ? [`${never} streams had no FFmpeg`] : []),
      ...(gone > 0 ? [`${gone} FFmpegs ended`] : []),
    ];
  }

  #mediaServerPid(): number {
    const entry = this.#daemon.mediaServerProcess();
    if (!entry) throw new Error('there is no media server');
    return entry.pid;
  }

  async #counts(): Promise<Counts> {
    const metrics: MetricsText = await this.#daemon.metrics();
    return {
      underruns: metrics.sum('vibesflow_underruns_total'),
      lateness: bucketsOf(metrics, 'vibesflow_pacer_lateness_seconds'),
      bufferedSeconds: metrics.sum('vibesflow_buffered_max_seconds'),
    };
  }

  async #segments(): Promise<{ atMs: number; count: number }[]> {
    const found: { atMs: number; count: number }[] = [];
    for (const name of this.#names) {
      const count = (await this.#publishedSegments(name)) ?? 0;
      found.push({ atMs: performance.now(), count });
    }
    return found;
  }

  /** The number of the last whole HLS segment: what the media server has received, counted in 93 AAC frames. */
  async #publishedSegments(name: string): Promise<number | undefined> {
    const { status, body } = await httpRequest(this.#daemon.hlsUrl(name));
    if (status !== 200) return undefined;
    const playlist = body.toString();
    const first = Number(/#EXT-X-MEDIA-SEQUENCE:(\d+)/.exec(playlist)?.[1]);
    return first + (playlist.match(/^#EXTINF/gm)?.length ?? 0);
  }
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
