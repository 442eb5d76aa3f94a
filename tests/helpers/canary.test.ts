import { performance } from 'node:perf_hooks';
import { Canary, coveredMs } from './canary';
import { descendants } from './processes';

describe('a canary', () => {
  it('covers a span once, however many stalls lie over each other', () => {
    const stalls = [
      { fromMs: 50, untilMs: 70 },
      { fromMs: 10, untilMs: 30 },
      { fromMs: 20, untilMs: 40 },
      { fromMs: 22, untilMs: 24 },
    ];
    expect(coveredMs(stalls, 0, 100)).toBe(50);
    expect(coveredMs(stalls, 25, 60)).toBe(25);
    expect(coveredMs(stalls, 41, 49)).toBe(0);
    expect(coveredMs([], 0, 100)).toBe(0);
  });

  it('sees when this process cannot run', async () => {
    const canary = await Canary.start();
    const fromMs = performance.now();
    while (performance.now() < fromMs + 120);
    const untilMs = performance.now();
    // Its own timer tells once it can run again.
    await canary.look();
    await canary.stop();
    expect(canary.stalledMs(fromMs, untilMs)).toBeGreaterThan(100);
    expect(canary.netMs(fromMs, untilMs)).toBeLessThan(20);
    expect(canary.worstStallMs(fromMs, untilMs)).toBeGreaterThan(100);
    expect(canary.summary).toMatch(/^the machine stalled for 0\.\d of \d+\.\d s, \d+ ms at worst$/);
  });

  it('sees when another process cannot run, at the same time by the same clock', async () => {
    const before = new Set(descendants(process.pid).map(({ pid }) => pid));
    const canary = await Canary.start();
    const pid = descendants(process.pid).find((entry) => !before.has(entry.pid))?.pid as number;
    const fromMs = performance.now();
    process.kill(pid, 'SIGSTOP');
    await new Promise((resolve) => setTimeout(resolve, 50));
    process.kill(pid, 'SIGCONT');
    const untilMs = performance.now();
    await canary.stop();
    expect(canary.stalledMs(fromMs, untilMs)).toBeGreaterThan(25);
    expect(descendants(process.pid).filter((entry) => entry.pid === pid)).toEqual([]);
  });
});
