import { delay } from '../../tests/helpers/eventually';
import { AskedProcess } from '../lib/asked-process';
import { CpuMeter } from '../lib/usage';
import { Load } from './load';

/** For compilers of JavaScript, as long as vibes have to settle. */
const SETTLE_MS = 3_000;

/** Cores that a Node process takes that only passes on what so many creators send: `pump.ts`. */
export async function barePumpCores(creators: number, seconds: number): Promise<number> {
  const pump = AskedProcess.start<object, { port: number }>('on-air/pump');
  const load = Load.start('creators');
  try {
    const { port } = await pump.ask({});
    const names = Array.from({ length: creators }, (_, index) => `pumped-${index}`);
    await load.grow({ names, url: `http://127.0.0.1:${port}` });
    await delay(SETTLE_MS);
    const meter = new CpuMeter({ pump: [pump.pid] });
    await delay(seconds * 1000);
    return meter.read().pump;
  } finally {
    await load.stop();
    await pump.stop();
  }
}
