import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { isRunning, ownIdentity } from '../../src/base/process-identity';
import { readProcessUsage } from '../../src/base/process-usage';

describe('the identity of a process', () => {
  it('is known of one’s own, and that one runs', () => {
    const own = ownIdentity();
    expect(own).toMatchObject({ pid: process.pid, startTicks: expect.stringMatching(/^\d+$/) as string });
    expect(own.bootId).toMatch(/^[0-9a-f-]{36}$/);
    expect(isRunning(own)).toBe(true);
  });

  it('is not that of another process with the same id, before it or after', () => {
    const own = ownIdentity();
    expect(isRunning({ ...own, startTicks: String(Number(own.startTicks) - 1) })).toBe(false);
    expect(
      isRunning({ ...own, bootId: own.bootId.replace(/.$/, (last) => (last === '0' ? '1' : '0')) }),
    ).toBe(false);
    expect(isRunning({ ...own, startTicks: '' })).toBe(false);
  });

  it('is that of nobody once the process is gone', async () => {
    const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { stdio: 'ignore' });
    const pid = child.pid as number;
    const identity = { ...ownIdentity(), pid, startTicks: readProcessUsage(pid)?.startTicks ?? '' };
    expect(isRunning(identity)).toBe(true);
    child.kill('SIGKILL');
    await once(child, 'exit');
    expect(isRunning(identity)).toBe(false);
  });
});
