import { once } from 'node:events';
import { freePorts } from '../../tests/helpers/free-port';
import { endLoad, startLoad } from '../lib/pinned';
import type { FanOutServer } from './server';

/** The floor: a bare Node TCP fan-out (bench/load/fan-out.ts) that writes what it reads. */
export async function startBare(core: number): Promise<FanOutServer> {
  const [feed, listen] = (await freePorts(2)) as [number, number];
  const child = startLoad('fan-out', core, [String(feed), String(listen)]);
  await once(child, 'message');
  return {
    name: 'bare fan-out',
    feedUrl: `tcp://127.0.0.1:${feed}`,
    door: { kind: 'http', port: listen, path: '/' },
    pid: child.pid as number,
    framingBytesPerTag: 0,
    stop: () => endLoad(child),
  };
}
