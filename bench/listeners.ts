import { quantile } from '../tests/helpers/quantile';
import os from 'node:os';
import { startBare } from './fan-out/bare';
import { Crowd } from './fan-out/crowd';
import { startPeers } from './fan-out/peers';
import { startRelay } from './fan-out/relay';
import type { FanOutServer } from './fan-out/server';
import { measureStorm } from './fan-out/storm';
import { measureTurn, type Turn } from './fan-out/turn';
import type { Bench, BenchRun } from './lib/bench';
import { pin } from './lib/pinned';
import type { Plot } from './lib/plot';
import { median } from './lib/stats';

const SERVER_CORE = 0;
const LOAD_CORE = 1;
const COUNTS = '100,500,1000,2500';
const QUICK_COUNTS = '300';
const TARGET_LISTENERS = 2_500;
const TARGET_GAP_MS = 100;
const TARGET_RATIO = 1.3;
/** What a hypervisor may take of either core before a turn says nothing about the server. */
const MAX_STOLEN = 0.03;
/** What other programs may use of the server's core; and where they and the server together fill it. */
const MAX_FOREIGN = 0.25;
const MAX_FOREIGN_IN_FULL = 0.05;
const FULL = 0.97;
const STORM = { listeners: 200, joiners: 2_500 } as const;
/** All that a machine is busy with otherwise shares the core: what it does to the ratio in a short run. */
const GUARD_RATIO = 2;

export const listeners: Bench = {
  name: 'listeners',
  summary: 'one stream to many listeners: how many a core serves, and what each costs',
  description:
    'One stream, and more and more HTTP-FLV listeners. The media server’s process is alone on one core; the listeners (bare ' +
    'sockets in a process of their own), the encoder and everything else are on the other. The floor is a bare Node TCP ' +
    'fan-out that writes the same bytes at the same times to as many sockets, in turns with the relay, on the same core. ' +
    'Peers, where they are installed: Icecast, nginx with its RTMP module, and the SRS that SRS_BINARY names. ' +
    'A listener is served in full who got 99 % of what the encoder sent. At the end 2,500 players come at once while 200 listen.',
  defaults: { rounds: 3, seconds: 10 },
  quick: { rounds: 2, seconds: 3 },
  options: [
    { flags: '--counts <list>', description: `how many listeners (default ${COUNTS})` },
    { flags: '--only <names>', description: 'servers by name, with commas: relay,bare,peers' },
  ],
  isGuard: true,
  run,
};

async function run(bench: BenchRun): Promise<void> {
  if (os.availableParallelism() < 2)
    return bench.note('not measured: a server and its listeners need a core each');
  const counts = (bench.options['counts'] ?? (bench.quick ? QUICK_COUNTS : COUNTS)).split(',').map(Number);
  const only = (bench.options['only'] ?? (bench.quick ? 'relay,bare' : 'relay,bare,peers')).split(',');
  bench.parameter('listeners', counts.join(', '));
  bench.parameter('cores', `${SERVER_CORE} for the server, ${LOAD_CORE} for listeners and encoder`);
  pin(process.pid, LOAD_CORE);
  const crowd = new Crowd(LOAD_CORE);
  const servers: FanOutServer[] = [];
  try {
    if (only.includes('relay')) servers.push(await startRelay(SERVER_CORE));
    if (only.includes('bare')) servers.push(await startBare(SERVER_CORE));
    if (only.includes('peers')) servers.push(...(await startPeers(SERVER_CORE, (text) => bench.note(text))));
    for (const count of counts) {
      for (let round = 0; round < bench.rounds; round += 1) {
        for (const server of servers) {
          const turn = await measureTurn({ server, crowd, count, seconds: bench.seconds, core: SERVER_CORE });
          note(bench, server, count, turn);
        }
      }
    }
    if (!bench.quick && only.includes('relay') && only.includes('bare'))
      await storms(bench, servers.slice(0, 2), crowd);
  } finally {
    await crowd.stop();
    for (const server of servers) await server.stop();
  }
  judge(bench, counts);
  plot(bench, servers, counts);
}

/** All at once: those who listen already should not hear of it. */
async function storms(bench: BenchRun, servers: readonly FanOutServer[], listening: Crowd): Promise<void> {
  const joining = new Crowd(LOAD_CORE);
  try {
    for (let round = 0; round < bench.rounds; round += 1) {
      for (const server of servers) {
        const storm = await measureStorm({ server, listening, joining, ...STORM });
        const gap = quantile(storm.worstGapsMs, 0.99);
        bench.measure(stormName(server.name), 'ms', gap);
        bench.measure(`${server.name}: until ${STORM.joiners} who come at once are in`, 'ms', storm.tookMs);
        bench.progress(
          `${server.name}: ${storm.joined} came within ${storm.tookMs.toFixed(0)} ms, worst gap p99 of those who listened ${gap.toFixed(0)} ms`,
        );
      }
    }
  } finally {
    await joining.stop();
  }
  bench.compare({
    name: `worst gap p99 of listeners while ${STORM.joiners} come at once`,
    unit: 'ms',
    value: median(bench.values(stormName('relay'))),
    target: { most: TARGET_GAP_MS },
    guard: 'none',
  });
}

const stormName = (server: string): string => `${server}, in a storm of players: worst gap p99`;
const named = (server: string, count: number, what: string): string => `${server}, ${count}: ${what}`;

function note(bench: BenchRun, { name }: FanOutServer, count: number, turn: Turn): void {
  const measure = (what: string, unit: string, value: number): void =>
    bench.measure(named(name, count, what), unit, value);
  const disturbance = disturbed(turn);
  if (disturbance) return bench.note(`left out: ${name} with ${count} listeners, because ${disturbance}`);
  measure('served in full', 'listeners', turn.servedInFull);
  measure('worst gap p99', 'ms', quantile(turn.worstGapsMs, 0.99));
  measure('CPU', 'µs per listener and s', turn.cpuMicroseconds / count);
  measure('memory', 'MB', turn.memoryBytes / 2 ** 20);
  bench.progress(
    `${name}, ${count} listeners: ${turn.servedInFull} served in full, worst gap p99 ${quantile(turn.worstGapsMs, 0.99).toFixed(0)} ms, ` +
      `CPU ${((turn.cpuMicroseconds / 1e6) * 100).toFixed(1)} %, core ${(turn.coreBusy * 100).toFixed(1)} %, ` +
      `listeners' core ${(turn.loadCoreBusy * 100).toFixed(0)} %, stolen ${(turn.stolen * 100).toFixed(1)} %, ${(turn.memoryBytes / 2 ** 20).toFixed(0)} MB`,
  );
}

/** Why a turn tells of the machine, and not of the server. */
function disturbed({ stolen, coreBusy, cpuMicroseconds }: Turn): string | undefined {
  const foreign = coreBusy - cpuMicroseconds / 1e6;
  if (stolen > MAX_STOLEN) return `the hypervisor took ${(stolen * 100).toFixed(0)} % of a core`;
  if (foreign > (coreBusy > FULL ? MAX_FOREIGN_IN_FULL : MAX_FOREIGN))
    return `others used ${(foreign * 100).toFixed(0)} % of its core`;
  return undefined;
}

function judge(bench: BenchRun, counts: readonly number[]): void {
  const of = (server: string, count: number, what: string): number =>
    median(bench.values(named(server, count, what)));
  for (const count of counts) {
    bench.compare({
      name: `CPU per listener, ${count} listeners`,
      unit: '× the bare fan-out',
      value: of('relay', count, 'CPU') / of('bare fan-out', count, 'CPU'),
      target: { most: TARGET_RATIO },
      guard: { most: GUARD_RATIO },
    });
  }
  const most = Math.max(...counts);
  const inFull = of('relay', most, 'served in full');
  bench.compare({
    name: `served in full, of ${most}`,
    unit: 'listeners',
    value: inFull,
    target: { least: most < TARGET_LISTENERS ? most : TARGET_LISTENERS },
  });
  bench.compare({
    name: `worst gap p99, ${most} listeners`,
    unit: 'ms',
    value: of('relay', most, 'worst gap p99'),
    target: { most: TARGET_GAP_MS },
    guard: { most: 4 * TARGET_GAP_MS },
  });
}

function plot(bench: BenchRun, servers: readonly FanOutServer[], counts: readonly number[]): void {
  const series = (scale: (cpu: number, count: number) => number): Plot['series'] =>
    servers.map(({ name }) => ({
      name,
      points: counts.map(
        (count) => [count, scale(median(bench.values(named(name, count, 'CPU'))), count)] as const,
      ),
      isFloor: name === 'bare fan-out',
    }));
  bench.plot({
    name: 'listeners-cpu',
    title: 'CPU against listeners',
    xLabel: 'listeners',
    yLabel: '% of a core',
    kind: 'load',
    bounds: [{ axis: 'y', value: 100, label: 'the whole core' }],
    series: series((cpu, count) => (cpu * count) / 1e4),
  });
  bench.plot({
    name: 'listeners-each',
    title: 'What each listener costs',
    xLabel: 'listeners',
    yLabel: 'µs of CPU a second',
    kind: 'load',
    series: series((cpu) => cpu),
  });
}
