import { readdirSync, readlinkSync } from 'node:fs';
import { performance } from 'node:perf_hooks';
import { delay } from '../../helpers/eventually';
import { residentBytes } from '../../helpers/processes';
import { Inspector } from '../suite/inspector';
import type { Stage } from '../suite/stage';
import type { MemorySample } from './flatness';

/** Where Node opens its inspector when it is asked to by SIGUSR1. */
const DEFAULT_PORT = 9_229;
const ANSWERS_WITHIN_MS = 5_000;
/** A second of what the soak's creators send: 48 kHz, stereo, s16le. */
const AUDIO_BYTES = 192_000;

/** What one life of a process held, over time. */
export interface LifeMemory {
  readonly pid: number;
  readonly samples: readonly MemorySample[];
}

/** What a process has open, and what keeps its event loop going. */
export interface Holdings {
  /** How many of each kind: `socket`, `pipe`, `anon_inode:[eventpoll]`, or a path. */
  readonly descriptors: Readonly<Record<string, number>>;
  /** As Node names them; nothing where its inspector cannot be had. */
  readonly handles: Readonly<Record<string, number>> | undefined;
}

/** Watches the memory of the daemon and of its media server from inside, after their garbage was collected. */
export class MemoryWatch {
  /** Lives of the media server's process, in order. */
  readonly serverLives: { pid: number; samples: MemorySample[] }[] = [];
  readonly daemon: MemorySample[] = [];
  /** Why the media server's heap is not known; nothing where it is. */
  serverUnknown: string | undefined;
  readonly #stage: Stage;
  readonly #startMs = performance.now();
  #server: { pid: number; inspector: Inspector } | undefined;
  #isStopping = false;
  #watching: Promise<void> | undefined;

  constructor(stage: Stage) {
    this.#stage = stage;
  }

  start(everyMs: number): void {
    this.#watching = (async () => {
      while (!this.#isStopping) {
        await this.sample();
        const untilMs = performance.now() + everyMs;
        while (!this.#isStopping && performance.now() < untilMs) await delay(100);
      }
    })();
  }

  /** Idempotent. */
  async stop(): Promise<void> {
    this.#isStopping = true;
    await this.#watching;
  }

  close(): void {
    this.#server?.inspector.close();
  }

  /** A look at both; a process that does not answer just now, because of a fault, is left out. */
  async sample(): Promise<void> {
    const { daemon, inspector } = this.#stage;
    const of = await memoryOf(inspector);
    const held = await inTime(daemon.metrics());
    const atSeconds = (performance.now() - this.#startMs) / 1000;
    if (of && held) {
      const audioBytes = held.sum('vibesflow_buffered_seconds') * AUDIO_BYTES;
      const { heapBytes, rssBytes } = of;
      this.daemon.push({ atSeconds, heapBytes: heapBytes - audioBytes, rssBytes: rssBytes - audioBytes });
    }
    const server = await this.#serverInspector();
    const pid = this.#stage.daemon.mediaServerProcess()?.pid;
    if (pid === undefined || (server && server.pid !== pid)) return;
    // Where its heap cannot be known, what is resident can.
    const unknown =
      this.serverUnknown === undefined ? undefined : { heapBytes: NaN, rssBytes: residentBytes(pid) };
    const serverOf = server ? await memoryOf(server.inspector) : unknown;
    if (!serverOf) return;
    let life = this.serverLives.at(-1);
    if (life?.pid !== pid) this.serverLives.push((life = { pid, samples: [] }));
    life.samples.push({ atSeconds, ...serverOf });
  }

  /** What the daemon, and its media server, have open now. */
  async holdings(): Promise<{ daemon: Holdings; mediaServer: Holdings }> {
    const { daemon, inspector } = this.#stage;
    const server = await this.#serverInspector();
    return {
      daemon: { descriptors: descriptorsOf(daemon.pid), handles: await handlesOf(inspector) },
      mediaServer: {
        descriptors: descriptorsOf(this.#stage.mediaServer().pid),
        handles: server && (await handlesOf(server.inspector)),
      },
    };
  }

  /** Each life of the media server has an inspector of its own, which it opens when asked. */
  async #serverInspector(): Promise<{ pid: number; inspector: Inspector } | undefined> {
    if (this.serverUnknown !== undefined) return undefined;
    const pid = this.#stage.daemon.mediaServerProcess()?.pid;
    if (pid === undefined) return undefined;
    if (this.#server?.pid === pid) return this.#server;
    this.#server?.inspector.close();
    this.#server = undefined;
    try {
      process.kill(pid, 'SIGUSR1');
      const inspector = await inTime(Inspector.connect(DEFAULT_PORT));
      if (!inspector) return undefined;
      const answers = await inTime(inspector.evaluate('process.pid'));
      if (answers === pid) return (this.#server = { pid, inspector });
      inspector.close();
      // The old one has just died, or somebody else is being inspected on this machine.
      if (typeof answers === 'number' && this.serverLives.every((life) => life.pid !== answers))
        this.serverUnknown = `port ${DEFAULT_PORT} belongs to process ${answers}`;
    } catch {
      // It died meanwhile: its successor is asked next time.
    }
    return undefined;
  }
}

/** Sockets by kind, files by name. */
export function descriptorsOf(pid: number): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const fd of readdirSync(`/proc/${pid}/fd`)) {
    let kind: string;
    try {
      kind = readlinkSync(`/proc/${pid}/fd/${fd}`).replace(/^(socket|pipe):\[\d+\]$/, '$1');
    } catch {
      continue;
    }
    counts[kind] = (counts[kind] ?? 0) + 1;
  }
  return counts;
}

async function memoryOf(inspector: Inspector): Promise<{ heapBytes: number; rssBytes: number } | undefined> {
  const heap = await inTime(inspector.heapBytes());
  const usage = (await inTime(
    inspector.evaluate('({ external: process.memoryUsage().external, pid: process.pid })'),
  )) as { external: number; pid: number } | undefined;
  if (heap === undefined || usage === undefined) return undefined;
  return { heapBytes: heap + usage.external, rssBytes: residentBytes(usage.pid) };
}

async function handlesOf(inspector: Inspector): Promise<Record<string, number> | undefined> {
  const names = (await inTime(inspector.evaluate('process.getActiveResourcesInfo()'))) as
    string[] | undefined;
  if (!names) return undefined;
  const counts: Record<string, number> = {};
  for (const name of names) counts[name] = (counts[name] ?? 0) + 1;
  return counts;
}

/** Nothing where it takes too long: a process that stands still, or is gone, does not answer. */
async function inTime<T>(answer: Promise<T>): Promise<T | undefined> {
  let timer: NodeJS.Timeout | undefined;
  answer.catch(() => undefined);
  const late = new Promise<undefined>((resolve) => {
    timer = setTimeout(() => resolve(undefined), ANSWERS_WITHIN_MS);
  });
  try {
    return await Promise.race([answer, late]);
  } finally {
    clearTimeout(timer);
  }
}
