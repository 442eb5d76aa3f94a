import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { DRAIN_BUDGET_MS } from '../../src/app';
import { closeWithinMs, readRepo, secretNames, settingNames, srsFiles } from '../helpers/deployed';
import { ROOT } from '../helpers/sources';
import { describeWith, findSystemProgram } from '../helpers/system-program';

/** PM2 lets go of its lock on reloads after so long. */
const PM2_LOCK_MS = 30_000;

it('the daemon takes longer to give up on closing than its tails may take to play out', () => {
  expect(closeWithinMs).toBeGreaterThan(DRAIN_BUDGET_MS);
});

describe('ecosystem.config.js', () => {
  interface Pm2App {
    readonly name: string;
    readonly script: string;
    readonly cwd: string;
    readonly out_file: string;
    readonly error_file: string;
    readonly kill_timeout: number;
    readonly min_uptime: string;
    readonly env: Record<string, string>;
    readonly [option: string]: unknown;
  }
  const load = (mediaServer: string): Pm2App[] => {
    const file = path.join(ROOT, 'ecosystem.config.js');
    const before = process.env['MEDIA_SERVER'];
    process.env['MEDIA_SERVER'] = mediaServer;
    try {
      // Not Jest's require, whose registry would keep the first answer.
      const { apps } = jest.requireActual<{ apps: Pm2App[] }>(file);
      jest.resetModules();
      return apps;
    } finally {
      if (before === undefined) delete process.env['MEDIA_SERVER'];
      else process.env['MEDIA_SERVER'] = before;
    }
  };

  it('runs the relay, and SRS’s supervisor where there is an SRS', () => {
    expect(load('srs').map(({ name }) => name)).toEqual(['vibesflow-streaming', 'vibesflow-srs']);
    expect(load('embedded').map(({ name }) => name)).toEqual(['vibesflow-streaming']);
  });

  it.each(load('srs'))('$name: one process, told alone, with time to end by itself', (app) => {
    expect(app).toMatchObject({
      exec_mode: 'fork',
      instances: 1,
      wait_ready: true,
      treekill: false,
      merge_logs: true,
    });
    expect(app.kill_timeout).toBeGreaterThan(closeWithinMs);
    expect(app.kill_timeout).toBeLessThan(PM2_LOCK_MS);
  });

  it.each(load('srs'))('$name: paths of this checkout, wherever PM2 is called from', (app) => {
    expect(app.cwd).toBe(ROOT);
    const source = path.relative(ROOT, app.script).replace(/^dist/, 'src').replace(/\.js$/, '.ts');
    expect(statSync(path.join(ROOT, source)).isFile()).toBe(true);
    expect(path.dirname(app.out_file)).toBe(path.join(ROOT, 'logs'));
    expect(path.dirname(app.error_file)).toBe(path.join(ROOT, 'logs'));
  });

  it('sets what is not secret, and nothing that the daemon does not know', () => {
    for (const { env } of load('srs'))
      for (const name of Object.keys(env)) {
        expect(name === 'NODE_ENV' || settingNames.has(name)).toBe(true);
        expect(secretNames).not.toContain(name);
      }
  });

  it('hides every secret setting from PM2', () => {
    const pattern = /const SECRET = \/(.*)\/i;/.exec(readRepo('ecosystem.config.js'))?.[1];
    for (const name of secretNames) expect(name).toMatch(new RegExp(pattern ?? '$.', 'i'));
  });
});

const UNITS = ['vibesflow-streaming', 'vibesflow-srs'];

describe.each(UNITS)('deploy/systemd/%s.service', (name) => {
  const unit = readRepo(`deploy/systemd/${name}.service`);
  const values = (key: string): string[] =>
    [...unit.matchAll(new RegExp(`^${key}=(.*)$`, 'gm'))].map(([, value]) => value as string);

  it('tells the program alone, and leaves it time to end by itself', () => {
    expect(values('KillMode')).toEqual(['mixed']);
    expect(Number(values('TimeoutStopSec')[0]) * 1000).toBeGreaterThan(closeWithinMs);
  });

  it('is up again within the 5 s after which listeners lose patience, and is never given up', () => {
    expect(values('Restart')).toEqual(['always']);
    expect(Number(values('RestartSec')[0])).toBeLessThanOrEqual(1);
    expect(values('StartLimitIntervalSec')).toEqual(['0']);
  });

  it('may open as many files as SRS insists on', () => {
    expect(Number(values('LimitNOFILE')[0])).toBeGreaterThan(srsFiles);
  });

  it('has no secret in it, and sets what the daemon knows', () => {
    const set = (values('Environment')[0] ?? '').split(' ').map((pair) => pair.split('=')[0] as string);
    for (const each of set) expect(each === 'NODE_ENV' || settingNames.has(each)).toBe(true);
    for (const secret of secretNames) expect(set).not.toContain(secret);
    expect(values('EnvironmentFile')).toEqual(['/etc/vibesflow/relay.env']);
  });

  it('lets setpriv do its work, without which FFmpeg and SRS outlive a killed parent', () => {
    expect(values('SystemCallFilter')).toContain('capset');
    expect(values('MemoryDenyWriteExecute')).toEqual([]);
  });
});

describeWith({ 'systemd-analyze': 'systemd' })('systemd-analyze', () => {
  const analyze = (...args: string[]): string => {
    const { stdout, stderr } = spawnSync(findSystemProgram('systemd-analyze') ?? '', args, {
      encoding: 'utf8',
    });
    return `${stdout}${stderr}`;
  };

  it.each(UNITS)('understands all of %s.service, and finds it well fenced in', (name) => {
    const file = path.join(ROOT, 'deploy', 'systemd', `${name}.service`);
    const complaints = analyze('verify', '--man=no', file)
      .split('\n')
      .filter((line) => line.includes(name));
    expect(complaints).toEqual([]);
    const security = analyze('security', '--offline=true', '--no-pager', file);
    // From 0 to 10; an unfenced service has 9.6.
    expect(Number(/exposure level for \S+ ([\d.]+)/.exec(security)?.[1])).toBeLessThanOrEqual(3);
  });
});

describeWith({ logrotate: 'logrotate' })('deploy/logrotate.conf', () => {
  const directory = mkdtempSync(path.join(os.tmpdir(), 'vibesflow-logrotate-'));
  afterAll(() => rmSync(directory, { recursive: true, force: true }));

  it('keeps what PM2 wrote under another name, and empties the file that PM2 holds open', () => {
    const logs = path.join(directory, 'logs');
    const log = path.join(logs, 'vibesflow-streaming.out.log');
    mkdirSync(logs);
    writeFileSync(log, 'a line\n');
    const group = spawnSync('id', ['-gn'], { encoding: 'utf8' }).stdout.trim();
    const conf = path.join(directory, 'logrotate.conf');
    const text = readRepo('deploy/logrotate.conf')
      .replaceAll('/opt/vibesflow', directory)
      .replaceAll('su vibesflow vibesflow', `su ${os.userInfo().username} ${group}`);
    writeFileSync(conf, text, { mode: 0o644 });
    const args = ['--force', '--state', path.join(directory, 'state'), conf];
    const { status, stderr } = spawnSync(findSystemProgram('logrotate') ?? '', args, { encoding: 'utf8' });
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    expect(readFileSync(log, 'utf8')).toBe('');
    const kept = readdirSync(logs).filter((file) => file !== path.basename(log));
    expect(kept.map((file) => readFileSync(path.join(logs, file), 'utf8'))).toEqual(['a line\n']);
  });
});
