import { spawn } from 'node:child_process';
import { eventually } from '../../helpers/eventually';
import { isAlive, type ProcessEntry, readProcess } from '../../helpers/processes';
import { goOn, kill, stop } from './signals';

describe('signals as faults', () => {
  let entry: ProcessEntry;
  beforeEach(async () => {
    const child = spawn('sleep', ['60'], { stdio: 'ignore' });
    entry = await eventually('the process', () => {
      const found = readProcess(child.pid as number);
      return found?.argv[0] === 'sleep' && found;
    });
  });
  afterEach(async () => {
    if (isAlive(entry)) await kill(entry);
  });

  it('have killed when the process is gone', async () => {
    await kill(entry);
    expect(isAlive(entry)).toBe(false);
  });

  it('have stopped it when it stands still, until it may go on', async () => {
    await stop(entry);
    expect(readProcess(entry.pid)?.state).toBe('T');
    goOn(entry);
    await eventually('it runs', () => readProcess(entry.pid)?.state === 'S');
  });

  it('say so where somebody else ended the fault', async () => {
    await stop(entry);
    process.kill(entry.pid, 'SIGCONT');
    await eventually('it runs', () => readProcess(entry.pid)?.state === 'S');
    expect(() => goOn(entry)).toThrow('is not stopped but S');
  });
});
