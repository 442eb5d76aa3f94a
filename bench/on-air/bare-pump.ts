import { fork } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { delay } from '../../tests/helpers/eventually';
import { CpuMeter } from '../lib/usage';
import { Load } from './load';

/** For compilers of JavaScript, as long as vibes have to settle. */
const SETTLE_MS = 3_000;

/** Cores that a Node process takes that only passes on what so many creators send: `pump.ts`. */
export async function barePumpCores(creators: number, seconds: number): Promise<number> {
  const register = path.resolve(__dirname, '../register.cjs');
  const pump = fork(path.join(__dirname, 'pump.ts'), [], { execArgv: ['-r', register] });
  const gone = once(pump, 'exit');
  const load = Load.start('creators');
  try {
    const [port] = (await once(pump, 'message')) as [number];
    const names = Array.from({ length: creators }, (_, index) => `pumped-${index}`);
    await load.grow({ names, url: `http://127.0.0.1:${port}` });
    await delay(SETTLE_MS);
    const meter = new CpuMeter({ pump: [pump.pid as number] });
    await delay(seconds * 1000);
    return meter.read().pump;
  } finally {
    await load.stop();
    pump.disconnect();
    await gone;
  }
}
