import { spawn } from 'node:child_process';
import { performance } from 'node:perf_hooks';
import { postRaw } from '../tests/helpers/creators';
import { Daemon } from '../tests/helpers/daemon';
import { delay } from '../tests/helpers/eventually';
import { FFMPEG, QUIET } from '../tests/helpers/ffmpeg';
import { FlvListener } from '../tests/helpers/flv-listener';
import { music } from '../tests/helpers/music';
import { paced } from '../tests/helpers/pacing';
import type { Bench, BenchRun } from './lib/bench';
import { distribution, median } from './lib/stats';

const BY_HAND = 'FFmpeg by hand';
const STARTED = 'relay, vibe started before';
const UNANNOUNCED = 'relay, no start';
/** Lets a listener's request reach the server: nothing tells a client that a player is waiting. */
const LISTENER_MS = 150;

export const startup: Bench = {
  name: 'startup',
  summary: 'first PCM byte to the first audio tag at a waiting listener',
  description:
    'From the first PCM byte to the first audio tag at a listener who is waiting already, through short POSTs of 20 ms. ' +
    'The floor is the same FFmpeg with the best flags, run by hand against the same media server, in turns with the relay.',
  defaults: { rounds: 25, seconds: 1 },
  quick: { rounds: 7, seconds: 1 },
  isGuard: true,
  run,
};

async function run(bench: BenchRun): Promise<void> {
  const pcm = music(bench.seconds, 91);
  const daemon = await Daemon.start({ PREBUFFER_MS: '0' });
  try {
    for (let round = 0; round < bench.rounds; round += 1) {
      const send = (vibeId: string) => () => postRaw(daemon.target(vibeId), pcm, { chunkMs: 20 });
      const hand = `hand-${round}`;
      const rtmpUrl = `rtmp://127.0.0.1:${daemon.rtmpPort}/live/${hand}`;
      bench.measure(BY_HAND, 'ms', await firstTagMs(daemon, hand, () => byHand(pcm, rtmpUrl)));

      const started = `started-${round}`;
      await daemon.startVibe(started);
      bench.measure(STARTED, 'ms', await firstTagMs(daemon, started, send(started)));
      await daemon.endVibe(started, { drain: false });

      const bare = `bare-${round}`;
      bench.measure(UNANNOUNCED, 'ms', await firstTagMs(daemon, bare, send(bare)));
      await daemon.endVibe(bare, { drain: false });
      bench.progress(`round ${round + 1} of ${bench.rounds}`);
    }
  } finally {
    await daemon.stop();
  }
  const floor = median(bench.values(BY_HAND));
  for (const name of [STARTED, UNANNOUNCED]) {
    const is = median(bench.values(name));
    bench.compare({ name, unit: '× by hand', value: is / floor, target: { most: 1.15 } });
    bench.compare({ name, unit: 'ms', value: is, target: { most: 250 }, guard: 'none' });
  }
  bench.plot({
    name: 'startup',
    title: 'From the first PCM byte to the first audio tag',
    xLabel: 'ms',
    yLabel: 'share of starts',
    series: [BY_HAND, STARTED, UNANNOUNCED].map((name) => ({
      name,
      points: distribution(bench.values(name)),
      isFloor: name === BY_HAND,
    })),
  });
}

/** Milliseconds until a listener hears its first audio tag, from the moment that `send` is called. */
async function firstTagMs(daemon: Daemon, vibeId: string, send: () => Promise<unknown>): Promise<number> {
  const listening = FlvListener.connect(daemon.flvUrl(vibeId));
  await delay(LISTENER_MS);
  const startMs = performance.now();
  const sent = send();
  const listener = await listening;
  await listener.until('the first audio tag', () => listener.frames.length > 0);
  const tookMs = (listener.frames[0]?.atMs ?? NaN) - startMs;
  await sent;
  listener.leave();
  return tookMs;
}

/** The best flags there are: raw PCM is the fastest start, and `-tcp_nodelay` saves 40 ms on each round trip. */
async function byHand(pcm: Buffer, rtmpUrl: string): Promise<void> {
  const child = spawn(
    FFMPEG,
    [
      ...QUIET.filter((arg) => arg !== '-nostdin'),
      ...['-probesize', '32', '-analyzeduration', '0'],
      ...['-f', 's16le', '-ar', '48000', '-ac', '2', '-i', 'pipe:0'],
      ...['-c:a', 'aac', '-b:a', '128k', '-flvflags', 'no_duration_filesize'],
      ...['-tcp_nodelay', '1', '-f', 'flv', rtmpUrl],
    ],
    { stdio: ['pipe', 'ignore', 'inherit'] },
  );
  const closed = new Promise<void>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', () => resolve());
  });
  child.stdin.on('error', () => undefined);
  await paced(pcm, { chunkMs: 20 }, (chunk) => void child.stdin.write(chunk));
  child.stdin.end();
  await closed;
}
