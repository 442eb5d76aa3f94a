import { createHash, randomUUID } from 'node:crypto';
import os from 'node:os';
import type { RequestHandler } from 'express';
import type { Vibe } from '../vibes/vibe';
import { readQuery } from './audio-request';
import type { HttpContext } from './context';
import { pathOf } from './problem';
import { listed } from './vibes';

/** SRS gives ten streams unless asked for more, and never fewer. */
const MIN_COUNT = 10;
/** What every encoder makes, in the words of SRS. */
const AUDIO = { codec: 'AAC', sample_rate: 48_000, channel: 2, profile: 'LC' };

/** The read-only part of SRS's HTTP API, in its JSON shapes, for monitors that were made for SRS. */
export class SrsApi {
  readonly #context: HttpContext;
  /** Different for every start of the daemon, as with SRS. */
  readonly #envelope = {
    code: 0,
    server: shortId('server', randomUUID()),
    service: randomUUID().slice(0, 8),
    pid: String(process.pid),
  };
  readonly #vhostId = shortId('vhost', '__defaultVhost__');

  constructor(context: HttpContext) {
    this.#context = context;
  }

  /** `GET /api/v1/versions`: of the media server. */
  readonly versions: RequestHandler = (_req, res) => {
    const { version } = this.#context.mediaServerHealth();
    const [major = 0, minor = 0, revision = 0] = version.split(/\D+/).filter(Boolean).map(Number);
    res.json({ ...this.#envelope, data: { major, minor, revision, version } });
  };

  /** `GET /api/v1/summaries`: of this process and its machine. What is not measured is 0. */
  readonly summaries: RequestHandler = (_req, res) => {
    const { clock, startedMs, version } = this.#context;
    const totalBytes = os.totalmem();
    const usedBytes = totalBytes - os.freemem();
    const rssBytes = process.memoryUsage.rss();
    const [load1 = 0, load5 = 0, load15 = 0] = os.loadavg();
    const cpu = process.cpuUsage();
    const nowMs = clock.epochMs();
    res.json({
      ...this.#envelope,
      data: {
        ok: true,
        now_ms: nowMs,
        self: {
          version,
          pid: process.pid,
          ppid: process.ppid,
          argv: 'vibesflow',
          cwd: '',
          mem_kbyte: Math.round(rssBytes / 1024),
          mem_percent: rssBytes / totalBytes,
          cpu_percent: (cpu.user + cpu.system) / 1e6 / process.uptime(),
          srs_uptime: Math.floor((clock.nowMs() - startedMs) / 1000),
        },
        system: {
          cpu_percent: 0,
          disk_read_KBps: 0,
          disk_write_KBps: 0,
          disk_busy_percent: 0,
          mem_ram_kbyte: Math.round(totalBytes / 1024),
          mem_ram_percent: usedBytes / totalBytes,
          mem_swap_kbyte: 0,
          mem_swap_percent: 0,
          cpus: os.cpus().length,
          cpus_online: os.availableParallelism(),
          uptime: os.uptime(),
          ilde_time: 0,
          load_1m: load1,
          load_5m: load5,
          load_15m: load15,
          net_sample_time: nowMs,
          net_recv_bytes: 0,
          net_send_bytes: 0,
          net_recvi_bytes: 0,
          net_sendi_bytes: 0,
          srs_sample_time: nowMs,
          srs_recv_bytes: 0,
          srs_send_bytes: 0,
          conn_sys: 0,
          conn_sys_et: 0,
          conn_sys_tw: 0,
          conn_sys_udp: 0,
          conn_srs: this.#context.registry.active().reduce((sum, vibe) => sum + clientsOf(vibe), 0),
        },
      },
    });
  };

  /** `GET /api/v1/streams/`, with `start` and `count` as SRS understands them. */
  readonly streams: RequestHandler = (req, res) => {
    const query = readQuery(req);
    const start = Math.max(0, whole(query.get('start'), 0));
    const count = Math.max(MIN_COUNT, whole(query.get('count'), MIN_COUNT));
    const vibes = listed(this.#context).slice(start, start + count);
    res.json({ ...this.#envelope, streams: vibes.map((vibe) => this.#entry(vibe)) });
  };

  /** `GET /api/v1/streams`: SRS insists on the slash. */
  readonly redirect: RequestHandler = (req, res) => {
    const path = pathOf(req.originalUrl);
    res.redirect(302, `${path}/${req.originalUrl.slice(path.length)}`);
  };

  #entry(vibe: Vibe): Record<string, unknown> {
    const { config, clock } = this.#context;
    return {
      id: shortId('stream', vibe.id),
      name: vibe.id,
      vhost: this.#vhostId,
      app: 'live',
      tcUrl: config.rtmpUrl,
      url: `/live/${vibe.id}`,
      // The time of day, as SRS has it, and not how long it is live.
      live_ms: clock.epochMs(),
      clients: clientsOf(vibe),
      // SRS counts video frames here.
      frames: 0,
      send_bytes: 0,
      recv_bytes: 0,
      kbps: { recv_30s: 0, send_30s: 0 },
      publish: { active: vibe.isStreaming, cid: shortId('client', vibe.id) },
      video: null,
      audio: vibe.isStreaming ? AUDIO : null,
    };
  }
}

/** SRS counts the publisher among the clients. */
function clientsOf(vibe: Vibe): number {
  return vibe.listeners + (vibe.isStreaming ? 1 : 0);
}

/** SRS's ids look like `vid-0xz9a3f`. */
function shortId(kind: string, name: string): string {
  return `vid-${createHash('sha256').update(`${kind} ${name}`).digest('hex').slice(0, 7)}`;
}

/** A whole number as C's `atoi` reads it. */
function whole(text: string | undefined, otherwise: number): number {
  return text === undefined ? otherwise : Number.parseInt(text, 10) || 0;
}
