import { freePorts } from '../../tests/helpers/free-port';
import { AskedProcess } from '../lib/asked-process';
import type { FanOutPorts } from '../load/fan-out';
import type { FanOutServer } from './server';

/** The floor: a bare Node TCP fan-out (bench/load/fan-out.ts) that writes what it reads. */
export async function startBare(core: number): Promise<FanOutServer> {
  const [feedPort, listenPort] = (await freePorts(2)) as [number, number];
  const bare = AskedProcess.start<FanOutPorts, 'listening'>('load/fan-out', { core });
  await bare.ask({ feedPort, listenPort });
  return {
    name: 'bare fan-out',
    feedUrl: `tcp://127.0.0.1:${feedPort}`,
    door: { kind: 'http', port: listenPort, path: '/' },
    pid: bare.pid,
    framingBytesPerTag: 0,
    stop: () => bare.stop(),
  };
}
