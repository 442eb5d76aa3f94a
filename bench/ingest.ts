import { Daemon } from '../tests/helpers/daemon';
import { delay, eventually } from '../tests/helpers/eventually';
import { AskedProcess } from './lib/asked-process';
import type { Bench, BenchRun } from './lib/bench';
import { median } from './lib/stats';
import { cpuSeconds } from './lib/usage';
import type { IngestCount, IngestQuestion } from './load/ingest';
import type { IngestDoor } from './load/ingest-feed';

const CHUNK_MS = 20;
const CHUNKS_PER_SECOND = 1_000 / CHUNK_MS;
/** Connections are made and buffers filled before anything is counted. */
const SETTLE_MS = 700;
/** Of each creator at each door, before anything is counted: what runs is compiled then. */
const WARM_UP_CHUNKS = 50;
/** Creators at once, and chunks of each, where a door takes all it can: 12 s of audio. */
const BURST_VIBES = 8;
const BURST_CHUNKS = 600;
/** As long as a JSON chunk may be in practice: Lyria's, 512,000 characters of base64. */
const LONG_CHUNK_MS = 2_000;
const LONG_CHUNKS = 40;

const PLAYOUT = 'relay, playing out alone';

/** The guard leaves room for a figure of one second and two rounds. */
const DOORS: readonly { door: IngestDoor; name: string; most: number; guard: number }[] = [
  { door: 'json', name: 'JSON', most: 4, guard: 4 },
  { door: 'post', name: 'short POST', most: 2, guard: 3 },
  { door: 'stream', name: 'chunked POST', most: 2, guard: 2.5 },
  { door: 'websocket', name: 'WebSocket', most: 1.3, guard: 2.5 },
];

export const ingest: Bench = {
  name: 'ingest',
  summary: 'CPU of the doors for each vibe at 20 ms chunks, against a bare HTTP sink',
  description:
    'CPU of the daemon’s process for each 20 ms chunk (48 kHz, stereo, s16le: 3,840 bytes) by door, with several vibes on ' +
    'the air at once. The floor is a bare node:http server in a process of its own that gets the very same bytes from the ' +
    'very same load process, throws them away, and answers with a receipt of the same size; for the WebSocket, one that ' +
    'upgrades by hand and does not even look at frames. What the same vibes cost when nothing comes in (they play what was ' +
    'sent before: ticks, meters, pipes to the encoders) is measured in turns and taken off: the rest is what ingest costs, ' +
    'and is held against the floor.',
  defaults: { rounds: 4, seconds: 3 },
  quick: { rounds: 2, seconds: 1 },
  options: [{ flags: '--vibes <count>', description: 'on the air at once', default: '16' }],
  isGuard: true,
  run,
};

type Load = AskedProcess<IngestQuestion, IngestCount>;

async function run(bench: BenchRun): Promise<void> {
  const vibeIds = Array.from({ length: Number(bench.options['vibes']) }, (_, index) => `ingest-${index}`);
  bench.parameter('vibes', vibeIds.length);
  const load: Load = AskedProcess.start('load/ingest');
  const sink = AskedProcess.start<object, { port: number }>('load/ingest-sink');
  const daemon = await Daemon.start({ HOLD_SECONDS: '600', MAX_BUFFER_SECONDS: '300', AAC_CODER: 'fast' });
  try {
    const port = Number(new URL(daemon.apiUrl).port);
    const sinkPort = (await sink.ask({})).port;
    await goOnAir(daemon, load, port, vibeIds);
    await warmUp({ load, port, sinkPort, vibeIds });
    for (let round = 0; round < bench.rounds; round += 1) {
      const idle = await playoutMicros({ load, daemon, port, vibeIds, seconds: bench.seconds });
      bench.measure(PLAYOUT, 'µs per 20 ms of a vibe', idle);
      for (const { door, name } of DOORS) {
        const told = { load, door, vibeIds, seconds: bench.seconds };
        const floor = await chunkMicros({ ...told, port: sinkPort, pid: sink.pid });
        const whole = await chunkMicros({ ...told, port, pid: daemon.pid });
        bench.measure(`${name}: sink`, 'µs per chunk', floor);
        bench.measure(`${name}: relay, whole`, 'µs per chunk', whole);
        bench.measure(`${name}: relay, ingest`, 'µs per chunk', whole - idle);
      }
      bench.progress(`round ${round + 1} of ${bench.rounds}`);
    }
    judge(bench);
    if (bench.quick) return;
    await bursts(bench, { load, daemon, sink, port, sinkPort, vibeIds });
    await longChunks(bench, { daemon, load, port, vibeId: vibeIds.at(-1) as string });
  } finally {
    await Promise.all([load.stop(), sink.stop()]);
    await daemon.stop();
  }
}

async function goOnAir(daemon: Daemon, load: Load, port: number, vibeIds: readonly string[]): Promise<void> {
  for (const vibeId of vibeIds) await daemon.startVibe(vibeId, 'bench');
  await load.ask({ what: 'open', door: 'websocket', port, vibeIds, chunkMs: CHUNK_MS });
  await load.ask({ what: 'pace' });
  for (const vibeId of vibeIds)
    await eventually(`${vibeId} is live`, async () => (await daemon.status(vibeId))?.['state'] === 'live');
  await load.ask({ what: 'close' });
}

/** Lets both sides compile what they run. */
async function warmUp(told: {
  load: Load;
  port: number;
  sinkPort: number;
  vibeIds: readonly string[];
}): Promise<void> {
  const { load, sinkPort, vibeIds } = told;
  for (const { door } of DOORS)
    for (const port of [sinkPort, told.port]) {
      await load.ask({ what: 'open', door, port, vibeIds, chunkMs: CHUNK_MS });
      await load.ask({ what: 'burst', chunks: WARM_UP_CHUNKS });
      await load.ask({ what: 'close' });
    }
}

async function isHolding(daemon: Daemon, vibeIds: readonly string[]): Promise<boolean> {
  for (const vibeId of vibeIds) if ((await daemon.status(vibeId))?.['state'] !== 'holding') return false;
  return true;
}

/**
 * What a vibe costs the daemon while it plays what was sent to it beforehand: microseconds of CPU for as much time as a
 * chunk lasts. The same music through the same meters and pipes, and nothing comes in.
 */
async function playoutMicros(told: {
  load: Load;
  daemon: Daemon;
  port: number;
  vibeIds: readonly string[];
  seconds: number;
}): Promise<number> {
  const { load, daemon, port, vibeIds, seconds } = told;
  await load.ask({ what: 'open', door: 'websocket', port, vibeIds, chunkMs: CHUNK_MS });
  const chunks = Math.ceil((seconds * 1_000 + 3 * SETTLE_MS) / CHUNK_MS);
  await load.ask({ what: 'burst', chunks });
  await load.ask({ what: 'close' });
  await delay(SETTLE_MS);
  const [startCpu, startMs] = [cpuSeconds(daemon.pid), performance.now()];
  await delay(seconds * 1_000);
  const cpu = cpuSeconds(daemon.pid) - startCpu;
  const played = ((performance.now() - startMs) / CHUNK_MS) * vibeIds.length;
  const held = (await daemon.status(vibeIds[0] as string))?.['bufferedMs'] as number;
  if (held === 0) throw new Error('the vibes ran dry while only their playout was to be measured');
  await eventually('all is played out', () => isHolding(daemon, vibeIds));
  return (cpu * 1e6) / played;
}

/** Microseconds of CPU that a process uses for each chunk that comes in real time. */
async function chunkMicros(options: {
  load: Load;
  door: IngestDoor;
  port: number;
  pid: number;
  vibeIds: readonly string[];
  seconds: number;
}): Promise<number> {
  const { load, door, port, pid, vibeIds, seconds } = options;
  await load.ask({ what: 'open', door, port, vibeIds, chunkMs: CHUNK_MS });
  await load.ask({ what: 'pace' });
  await delay(SETTLE_MS);
  const before = { cpu: cpuSeconds(pid), sent: (await load.ask({ what: 'count' })).sent };
  await delay(seconds * 1_000);
  const cpu = cpuSeconds(pid) - before.cpu;
  const { sent } = await load.ask({ what: 'count' });
  await load.ask({ what: 'close' });
  return (cpu * 1e6) / (sent - before.sent);
}

/** How many chunks relay and sink take for a second of CPU, in turns. */
async function bursts(
  bench: BenchRun,
  told: {
    load: Load;
    daemon: Daemon;
    sink: { pid: number };
    port: number;
    sinkPort: number;
    vibeIds: readonly string[];
  },
): Promise<void> {
  const { load, daemon, sink, vibeIds } = told;
  const playout = (median(bench.values(PLAYOUT)) * vibeIds.length) / CHUNK_MS / 1e3;
  for (let round = 0; round < bench.rounds; round += 1)
    for (const { door, name } of DOORS) {
      const sides = [
        { side: 'sink', port: told.sinkPort, pid: sink.pid, besides: 0 },
        { side: 'relay', port: told.port, pid: daemon.pid, besides: playout },
      ];
      for (const { side, port, pid, besides } of sides) {
        const taken = await burst({ load, door, port, pid, besides, vibeIds: vibeIds.slice(0, BURST_VIBES) });
        bench.measure(`${name}: ${side}, all it can`, 'chunks per second of one core', taken);
      }
    }
}

/**
 * How many chunks a process takes for a second of CPU when they come as fast as it takes them.
 * @param options.besides cores that it uses for something else
 */
async function burst(options: {
  load: Load;
  door: IngestDoor;
  port: number;
  pid: number;
  besides: number;
  vibeIds: readonly string[];
}): Promise<number> {
  const { load, door, port, pid, besides, vibeIds } = options;
  await load.ask({ what: 'open', door, port, vibeIds, chunkMs: CHUNK_MS });
  const [startCpu, startMs] = [cpuSeconds(pid), performance.now()];
  const { sent } = await load.ask({ what: 'burst', chunks: BURST_CHUNKS });
  // These doors do not tell at once what they took; it is done long before that.
  if (door === 'stream' || door === 'websocket') await delay(SETTLE_MS);
  const cpu = cpuSeconds(pid) - startCpu - (besides * (performance.now() - startMs)) / 1_000;
  await load.ask({ what: 'close' });
  return sent / cpu;
}

/** What a chunk of 2 s in JSON costs at once, and what it does to the ticks of the other vibes. */
async function longChunks(
  bench: BenchRun,
  told: { daemon: Daemon; load: Load; port: number; vibeId: string },
): Promise<void> {
  const { daemon, load, port, vibeId } = told;
  const everyMs = 50;
  const before = await lateTicks(daemon);
  await delay(LONG_CHUNKS * everyMs);
  const between = await lateTicks(daemon);
  await load.ask({ what: 'open', door: 'json', port, vibeIds: [vibeId], chunkMs: LONG_CHUNK_MS });
  let cpu = 0;
  for (let index = 0; index < LONG_CHUNKS; index += 1) {
    const startCpu = cpuSeconds(daemon.pid);
    await load.ask({ what: 'burst', chunks: 1 });
    cpu += cpuSeconds(daemon.pid) - startCpu;
    await delay(everyMs);
  }
  const after = await lateTicks(daemon);
  await load.ask({ what: 'close' });
  bench.measure('JSON chunk of 2 s: CPU', 'ms', (cpu * 1_000) / LONG_CHUNKS);
  const share = (from: LateTicks, to: LateTicks): number =>
    (100 * (to.late - from.late)) / (to.all - from.all);
  bench.measure('ticks later than 5 ms, nobody sends', '%', share(before, between));
  bench.measure('ticks later than 5 ms, beside JSON chunks of 2 s', '%', share(between, after));
}

interface LateTicks {
  readonly all: number;
  readonly late: number;
}

async function lateTicks(daemon: Daemon): Promise<LateTicks> {
  const metrics = await daemon.metrics();
  const name = 'vibesflow_pacer_lateness_seconds';
  const all = metrics.sum(`${name}_count`);
  return { all, late: all - metrics.sum(`${name}_bucket`, { le: '0.005' }) };
}

function judge(bench: BenchRun): void {
  const ratios = (name: string, floorName: string): number => {
    const floors = bench.values(`${floorName}: sink`);
    return median(
      bench.values(`${name}: relay, ingest`).map((value, round) => value / (floors[round] ?? NaN)),
    );
  };
  for (const { name, most, guard } of DOORS)
    bench.compare({
      ...{ name, unit: '× its sink', value: ratios(name, name) },
      ...{ target: { most }, guard: { most: guard } },
    });
  bench.compare({
    name: 'WebSocket, HTTP sink',
    unit: '× the sink of short POSTs',
    value: ratios('WebSocket', 'short POST'),
    target: { most: 1.3 },
  });
  bench.note(
    'Held against the sink is ingest alone: the whole less what the same vibes cost while they play what was sent before. ' +
      `A vibe has ${CHUNKS_PER_SECOND} chunks a second: 100 µs per chunk are 0.5 % of a core per vibe.`,
  );
  bench.note(
    'The WebSocket is held against the stricter sink first: one that upgrades by hand and does not look at frames. The last ' +
      'line holds it against the HTTP sink that gets the same audio by short POSTs.',
  );
}
