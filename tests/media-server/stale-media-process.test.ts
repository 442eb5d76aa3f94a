import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { systemClock } from '../../src/base/clock';
import { StaleMediaProcess } from '../../src/media-server/stale-media-process';
import { eventually } from '../helpers/eventually';
import { isAlive, type ProcessEntry, readProcess } from '../helpers/processes';
import { silentLogger } from '../helpers/silent-logger';

const STAYS = 'setInterval(() => {}, 1000)';

describe('the media server process of a daemon that is gone', () => {
  let directory: string;
  let file: string;
  let child: ChildProcess;
  let entry: ProcessEntry;
  const stale = (): StaleMediaProcess =>
    new StaleMediaProcess({ file, clock: systemClock, logger: silentLogger });

  beforeEach(async () => {
    directory = mkdtempSync(path.join(os.tmpdir(), 'vibesflow-stale-'));
    file = path.join(directory, 'media-server-1935.json');
    const program = path.join(directory, 'embedded', 'child.js');
    mkdirSync(path.dirname(program));
    writeFileSync(program, STAYS);
    child = spawn(process.execPath, [program], { stdio: 'ignore' });
    await eventually('it has its arguments', () => readProcess(child.pid as number)?.argv.includes(program));
    entry = readProcess(child.pid as number) as ProcessEntry;
  });
  afterEach(() => {
    child.kill('SIGKILL');
    rmSync(directory, { recursive: true, force: true });
  });

  /** As if the daemon that noted it down were another process, which is gone. */
  function daemonDies(change: { daemon?: object; process?: object } = {}): void {
    const note = JSON.parse(readFileSync(file, 'utf8')) as { daemon: object; process: object };
    const daemon = { ...note.daemon, startTicks: '1', ...change.daemon };
    writeFileSync(file, JSON.stringify({ daemon, process: { ...note.process, ...change.process } }));
  }

  it('is ended, also where it stands still, and is gone then', async () => {
    stale().note(entry.pid);
    daemonDies();
    child.kill('SIGSTOP');
    const exited = once(child, 'exit');
    await stale().end();
    expect(isAlive(entry)).toBe(false);
    expect(await exited).toEqual([null, 'SIGKILL']);
  });

  it('is left alone while its daemon lives, and so is what is noted down of it', async () => {
    stale().note(entry.pid);
    await stale().end();
    expect(isAlive(entry)).toBe(true);
    // Another daemon of the same directory and port: the parent of this one is one that lives.
    const { pid, startTicks } = readProcess(process.ppid) as ProcessEntry;
    daemonDies({ daemon: { pid, startTicks } });
    const second = stale();
    await second.end();
    second.note(1);
    second.forget();
    expect(isAlive(entry)).toBe(true);
    expect(readFileSync(file, 'utf8')).toContain(`"pid":${entry.pid},`);
  });

  it('is left alone where the process is another one by now: by its start, its machine’s, or its program', async () => {
    stale().note(entry.pid);
    for (const change of [{ startTicks: '1' }, { bootId: 'other' }, { startTicks: '' }]) {
      daemonDies({ process: change });
      await stale().end();
    }
    expect(isAlive(entry)).toBe(true);
    const self = readProcess(process.ppid) as ProcessEntry;
    daemonDies({ process: { pid: self.pid, startTicks: self.startTicks } });
    await stale().end();
    expect(isAlive(self)).toBe(true);
  });

  it('is nobody where nothing is noted down, or nonsense, or where it ended in order', async () => {
    await stale().end();
    for (const text of ['', '{', '{"daemon":{}}']) {
      writeFileSync(file, text);
      await stale().end();
    }
    stale().note(entry.pid);
    stale().forget();
    expect([existsSync(file), isAlive(entry)]).toEqual([false, true]);
  });

  it('does not matter where nothing can be noted down', () => {
    file = path.join(directory, 'nowhere', 'file.json');
    stale().note(entry.pid);
    stale().forget();
    expect(existsSync(file)).toBe(false);
  });
});
