import pino from 'pino';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { type Clock, systemClock } from '../../../src/base/clock';
import { LogReader } from '../../../src/media-server/srs-supervisor/log-line';
import { SrsProcess } from '../../../src/media-server/srs-supervisor/srs-process';
import { eventually } from '../../helpers/eventually';
import { FakeClock } from '../../helpers/fake-clock';
import { FakePrograms } from '../../helpers/fake-srs';
import { isAlive, readProcess } from '../../helpers/processes';

describe('one life of SRS', () => {
  let programs: FakePrograms;
  let lines: { level: string; msg: string }[];
  beforeEach(() => {
    programs = new FakePrograms();
    lines = [];
  });
  afterEach(() => programs.remove());

  const life = (script: string, clock: Clock = systemClock, program = '/bin/sh') => {
    const file = path.join(programs.directory, 'script');
    writeFileSync(file, script);
    const logger = pino(
      { level: 'debug', formatters: { level: (level) => ({ level }) } },
      { write: (line) => lines.push(JSON.parse(line) as { level: string; msg: string }) },
    );
    let process!: SrsProcess;
    let kills = 0;
    const ended = new Promise<string>((resolve) => {
      process = new SrsProcess({
        command: { program, args: [file], environment: { PATH: '/usr/bin:/bin' } },
        directory: programs.directory,
        clock,
        logger,
        log: new LogReader(['a-secret-of-the-hooks']),
        kill: async () => void (kills += 1),
        onExit: resolve,
      });
    });
    return { process, ended, killed: () => kills };
  };
  const warning = (text: string): string => `[2026-11-21 12:00:00.000][WARN][1][x][22] ${text}`;
  const error = (text: string): string => `[2026-11-21 12:00:00.000][ERROR][1][x][22] ${text}`;

  it('passes its log on, of both outputs, without secrets', async () => {
    const { ended } = life(
      `echo '${warning('token=1234')}'; echo '${error('hook /a-secret-of-the-hooks/x')}' >&2`,
    );
    await ended;
    const said = lines.map(({ level, msg }) => `${level} ${msg}`).sort();
    expect(said).toEqual(['error hook /***/x', 'warn token=***']);
  });

  it('says how it ended, and what it complained of last', async () => {
    expect(await life(`echo '${error('no disk')}'; exit 3`).ended).toBe('exit code 3, after: no disk');
    expect(await life('exit 0').ended).toBe('exit code 0');
    expect(await life('kill -9 $$').ended).toBe('SIGKILL');
  });

  it('says that it could not be started', async () => {
    const { ended, process: srs } = life('', systemClock, '/no/such/program');
    expect(await ended).toMatch(/ENOENT/);
    expect(srs.pid).toBeUndefined();
    await srs.close();
  });

  it('ends when it is asked to', async () => {
    const { process: srs, ended, killed } = life('exec sleep 60');
    await eventually('it runs', () => readProcess(srs.pid ?? 0));
    await Promise.all([srs.close(), srs.close()]);
    expect(await ended).toBe('SIGTERM');
    expect(killed()).toBe(0);
  });

  it('is over when it has ended, whoever holds its outputs open', async () => {
    const { ended } = life('sleep 60 & echo $!; exit 4');
    const holder = await eventually('it tells who', () => lines[0]?.msg);
    expect(await ended).toBe('exit code 4');
    process.kill(Number(holder), 'SIGKILL');
  });

  it('is killed where it does not end within 5 s', async () => {
    const clock = new FakeClock();
    const {
      process: srs,
      ended,
      killed,
    } = life(`trap '' TERM; echo ready; while :; do sleep 0.01; done`, clock);
    await eventually('it is deaf', () => lines.some(({ msg }) => msg === 'ready'));
    const entry = readProcess(srs.pid ?? 0)!;
    const closed = srs.close();
    clock.advance(4_999);
    expect(isAlive(entry)).toBe(true);
    clock.advance(1);
    await closed;
    expect(await ended).toBe('did not end');
    expect(killed()).toBe(1);
    expect(isAlive(entry)).toBe(false);
  });

  it('is not touched by Ctrl-C in the supervisor’s terminal: it has a group of its own', async () => {
    const { process: srs, ended } = life('ps -o pgid= -p $$; exec sleep 60');
    const group = await eventually('it tells its group', () => lines[0]?.msg.trim());
    expect(Number(group)).toBe(srs.pid);
    srs.kill('enough');
    expect(await ended).toBe('enough');
  });
});
