import { spawn } from 'node:child_process';
import { performance } from 'node:perf_hooks';
import { postRaw } from '../helpers/creators';
import { Daemon } from '../helpers/daemon';
import { delay } from '../helpers/eventually';
import { FFMPEG, QUIET } from '../helpers/ffmpeg';
import { FlvListener } from '../helpers/flv-listener';
import { music } from '../helpers/music';
import { percentile } from '../helpers/latency';
import { paced } from '../helpers/pacing';

const ROUNDS = 9;
const PCM = music(0.6, 91);
/** A listener's request has reached the server by then: nothing tells a client that a player is waiting. */
const LISTENER_MS = 150;

/** Milliseconds until the listener hears its first audio tag, from the moment that `send` is called. */
async function firstTagMs(listening: Promise<FlvListener>, send: () => Promise<unknown>): Promise<number> {
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

/** The same FFmpeg with the same options, run by hand against the daemon's own media server. */
async function byHand(rtmpUrl: string): Promise<void> {
  const child = spawn(
    FFMPEG,
    [
      ...QUIET.filter((arg) => arg !== '-nostdin'),
      ...['-probesize', '32', '-analyzeduration', '0'],
      // Raw PCM is the fastest start there is: WAV would be held back for 341 ms, to see whether it is S/PDIF.
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
  await paced(PCM, { chunkMs: 20 }, (chunk) => void child.stdin.write(chunk));
  child.stdin.end();
  await closed;
}

describe('from the first PCM byte to the first audio tag at a waiting listener', () => {
  let daemon: Daemon;
  const ms: Record<'byHand' | 'started' | 'unannounced', number[]> = {
    byHand: [],
    started: [],
    unannounced: [],
  };

  beforeAll(async () => {
    daemon = await Daemon.start();
    // In turns, so that whatever else the machine does hits all three alike.
    for (let round = 0; round < ROUNDS; round += 1) {
      const hand = `byhand-${round}`;
      const rtmpUrl = `rtmp://127.0.0.1:${daemon.rtmpPort}/live/${hand}`;
      ms.byHand.push(await firstTagMs(FlvListener.connect(daemon.flvUrl(hand)), () => byHand(rtmpUrl)));

      const started = `started-${round}`;
      await daemon.startVibe(started);
      const post = (vibeId: string) => () => postRaw(daemon.target(vibeId), PCM, { chunkMs: 20 });
      ms.started.push(await firstTagMs(FlvListener.connect(daemon.flvUrl(started)), post(started)));
      await daemon.endVibe(started, { drain: false });

      const bare = `bare-${round}`;
      ms.unannounced.push(await firstTagMs(FlvListener.connect(daemon.flvUrl(bare)), post(bare)));
      await daemon.endVibe(bare, { drain: false });
    }
    for (const [name, values] of Object.entries(ms))
      console.info(
        `${name}: median ${percentile(values, 0.5).toFixed(0)} ms of ${values.map(Math.round).join(' ')}`,
      );
  }, 120_000);
  afterAll(async () => daemon?.stop(), 30_000);

  it.each(['started', 'unannounced'] as const)(
    'a vibe that was %s takes at most 1.5 times as long as FFmpeg run by hand',
    (kind) => {
      expect(percentile(ms[kind], 0.5)).toBeLessThanOrEqual(1.5 * percentile(ms.byHand, 0.5));
    },
  );
});
