import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { ProgramMeter, readProcessUsage } from '../../src/base/process-usage';
import { residentBytes } from '../helpers/processes';

/** Works until it has used so much CPU time, says so, and stays. */
const WORKER = `
  while (process.cpuUsage().user < 200_000);
  process.stdout.write('done');
  setInterval(() => undefined, 1_000);
`;

async function worker(): Promise<ChildProcess> {
  const child = spawn(process.execPath, ['-e', WORKER], { stdio: ['ignore', 'pipe', 'ignore'] });
  await once(child.stdout, 'data');
  return child;
}

async function end(child: ChildProcess): Promise<void> {
  child.kill('SIGKILL');
  await once(child, 'exit');
}

describe('the use of a process', () => {
  it('is what the kernel says: memory in bytes, CPU in seconds', () => {
    const { cpuSeconds = 0, residentBytes: bytes = 0 } = readProcessUsage(process.pid) ?? {};
    const { user, system } = process.cpuUsage();
    expect(cpuSeconds).toBeLessThanOrEqual((user + system) / 1e6);
    expect(cpuSeconds).toBeGreaterThan((user + system) / 1e6 / 2);
    expect(bytes / residentBytes(process.pid)).toBeCloseTo(1, 0);
  });

  it('is nothing where there is no such process', () => {
    expect(readProcessUsage(2 ** 30)).toBeUndefined();
  });
});

describe('a meter of a program', () => {
  it('adds up its processes, and keeps the CPU time of those that are gone', async () => {
    const meter = new ProgramMeter();
    const [first, second] = await Promise.all([worker(), worker()]);
    const pids = [first.pid as number, second.pid as number];
    try {
      const both = meter.read(pids);
      expect(both.processes).toBe(2);
      expect(both.cpuSeconds).toBeGreaterThanOrEqual(0.4);
      expect(both.residentBytes).toBeGreaterThan(residentBytes(pids[0] as number));

      await end(first);
      const one = meter.read(pids);
      expect(one.processes).toBe(1);
      expect(one.residentBytes).toBeLessThan(both.residentBytes);
      expect(one.cpuSeconds).toBeGreaterThanOrEqual(both.cpuSeconds);
      // What was counted is not counted again.
      expect(one.cpuSeconds).toBeLessThan(both.cpuSeconds + 0.3);
    } finally {
      for (const child of [first, second]) if (child.exitCode === null && !child.killed) await end(child);
    }
    const none = meter.read(pids);
    expect([none.processes, none.residentBytes]).toEqual([0, 0]);
    expect(none.cpuSeconds).toBeGreaterThanOrEqual(0.4);
  });
});
