import { Daemon } from '../../tests/helpers/daemon';
import { descendants } from '../../tests/helpers/processes';
import { pin } from '../lib/pinned';
import type { FanOutServer } from './server';

const STREAM = 'crowded';

/** The relay's embedded media server, its process alone on a core; the daemon beside it has nothing to do. */
export async function startRelay(core: number): Promise<FanOutServer> {
  const daemon = await Daemon.start();
  const child = descendants(daemon.pid).find(({ argv }) => argv.some((arg) => arg.endsWith('child.js')));
  if (!child) throw new Error('the embedded media server has no process');
  pin(child.pid, core);
  return {
    name: 'relay',
    feedUrl: `rtmp://127.0.0.1:${daemon.rtmpPort}/live/${STREAM}`,
    door: { kind: 'http', port: Number(new URL(daemon.mediaUrl).port), path: `/live/${STREAM}.flv` },
    pid: child.pid,
    // HTTP's chunks: three digits of length and two line ends.
    framingBytesPerTag: 7,
    stop: () => daemon.stop(),
  };
}
