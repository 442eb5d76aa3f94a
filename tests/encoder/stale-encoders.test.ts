import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readProcessUsage } from '../../src/base/process-usage';
import { endStaleEncoders, type KnownEncoder } from '../../src/encoder/stale-encoders';
import { eventually } from '../helpers/eventually';
import { readProcess } from '../helpers/processes';

const STAYS = 'process.on("SIGTERM", () => {}); setInterval(() => {}, 1000)';

let children: ChildProcess[];
beforeEach(() => (children = []));
afterEach(() => children.forEach((child) => child.kill('SIGKILL')));

/** A process that publishes a vibe, as far as its arguments say. */
async function publisher(vibeId: string): Promise<KnownEncoder & { readonly gone: Promise<unknown> }> {
  const url = `rtmp://127.0.0.1:1935/live/${vibeId}?token=abc`;
  const child = spawn(process.execPath, ['-e', STAYS, url], { stdio: 'ignore' });
  children.push(child);
  const pid = child.pid as number;
  await eventually('it has its arguments', () => readProcess(pid)?.argv.includes(url));
  const startTicks = readProcessUsage(pid)?.startTicks as string;
  return { vibeId, pid, startTicks, gone: once(child, 'exit') };
}

describe('the FFmpegs of a daemon that is gone', () => {
  it('are ended where they are still there, also while they are stopped', async () => {
    const [one, two] = await Promise.all([publisher('one'), publisher('two')]);
    process.kill(two.pid, 'SIGSTOP');
    expect(endStaleEncoders([one, two])).toEqual([one, two]);
    await Promise.all([one.gone, two.gone]);
    expect(endStaleEncoders([one, two])).toEqual([]);
  });

  it('are left alone where the process is another one by now: by its start, or by what it publishes', async () => {
    const { gone: _gone, ...other } = await publisher('other');
    const later = { ...other, startTicks: String(Number(other.startTicks) - 1) };
    expect(endStaleEncoders([later, { ...other, startTicks: '' }])).toEqual([]);
    expect(
      endStaleEncoders([
        { ...other, vibeId: 'the' },
        { ...other, vibeId: 'othe' },
      ]),
    ).toEqual([]);
    const self = { vibeId: 'x', pid: process.pid, startTicks: readProcessUsage('self')?.startTicks ?? '' };
    expect(endStaleEncoders([self])).toEqual([]);
    expect(readProcess(other.pid)?.state).not.toBe('Z');
    expect(endStaleEncoders([other])).toEqual([other]);
  });
});
