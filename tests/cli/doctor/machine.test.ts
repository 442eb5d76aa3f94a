import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { loadConfig } from '../../../src/base/config';
import {
  checkClock,
  checkDataDir,
  checkDisk,
  checkExposure,
  checkFfmpeg,
  checkNode,
  checkOpenFiles,
  checkPorts,
  checkSetpriv,
} from '../../../src/cli/doctor/machine';
import { freePorts } from '../../helpers/free-port';

async function settings(port: number): Promise<ReturnType<typeof loadConfig>> {
  const [media, rtmp] = await freePorts(2);
  const env = { PORT: `${port}`, MEDIA_HTTP_PORT: `${media}`, RTMP_PORT: `${rtmp}` };
  return loadConfig(env, { directory: os.tmpdir() });
}

describe('the doctor’s checks', () => {
  it.each([
    ['20.19.0', 'ok'],
    ['24.1.0', 'ok'],
    ['20.18.9', 'fail'],
    ['18.20.0', 'fail'],
  ])('call Node %s %s', (version, result) => {
    expect(checkNode(version).result).toBe(result);
  });

  it('find an FFmpeg that can do the work', async () => {
    const check = await checkFfmpeg(process.env['FFMPEG_PATH'] || undefined, process.env);
    expect(check).toMatchObject({ result: 'ok', found: expect.stringContaining('RTMP output') });
  });

  it('say what is wrong with one that cannot, and what to do', async () => {
    const check = await checkFfmpeg('/nowhere/ffmpeg', process.env);
    expect(check).toMatchObject({ result: 'fail', remedy: expect.stringContaining('FFMPEG_PATH') });
  });

  it('tell free ports from those that something else holds', async () => {
    const server = net.createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as net.AddressInfo;
    try {
      const checks = await checkPorts(await settings(port), false);
      expect(checks.map(({ result }) => result)).toEqual(['fail', 'ok', 'ok']);
      expect(checks[0]).toMatchObject({
        name: `port ${port}`,
        found: `PORT: in use by ${path.basename(process.execPath)} (pid ${process.pid})`,
      });
    } finally {
      await new Promise((resolve) => server.close(resolve));
    }
  });

  it('leave the media ports to SRS, where it has them', async () => {
    const [port = 0] = await freePorts(1);
    const config = { ...(await settings(port)), mediaServer: 'srs' as const };
    expect((await checkPorts(config, false)).map(({ name }) => name)).toEqual([`port ${port}`]);
  });

  it.each([
    ['0.0.0.0', 'warn'],
    ['::', 'warn'],
    ['127.0.0.1', 'ok'],
    ['::1', 'ok'],
  ])('see that what listens on %s is %s', async (address, result) => {
    const server = net.createServer();
    await new Promise<void>((resolve) => server.listen(0, address, resolve));
    const { port } = server.address() as net.AddressInfo;
    try {
      const check = checkExposure({ ...(await settings(port)), mediaApiPort: 1 });
      expect(check.result).toBe(result);
      if (result === 'warn') expect(check.found).toContain(`port ${port} (PORT, ${address})`);
    } finally {
      await new Promise((resolve) => server.close(resolve));
    }
  });

  it.each([
    [32 * 1024 ** 2, 'fail'],
    [512 * 1024 ** 2, 'warn'],
    [20 * 1024 ** 3, 'ok'],
  ])('call %i bytes of free disk %s', (free, result) => {
    expect(checkDisk('/nowhere/yet/data', () => free).result).toBe(result);
    expect(checkDisk(os.tmpdir()).found).toMatch(/^\d+\.\d GiB free/);
  });

  it('want a clock that is kept in time, where anybody can tell', () => {
    expect(checkClock('yes')?.result).toBe('ok');
    expect(checkClock('no')).toMatchObject({ result: 'warn', remedy: expect.stringContaining('set-ntp') });
    expect(checkClock('')).toBeUndefined();
  });

  it('leave the ports to a daemon that runs', async () => {
    const [port = 0] = await freePorts(1);
    const checks = await checkPorts(await settings(port), true);
    expect(checks.every(({ found }) => found.endsWith('the daemon has it'))).toBe(true);
  });

  it('look at the data directory, and make nothing', () => {
    const directory = mkdtempSync(path.join(os.tmpdir(), 'vibesflow-checks-'));
    try {
      expect(checkDataDir(directory).result).toBe('ok');
      expect(checkDataDir(path.join(directory, 'a/b'))).toMatchObject({
        result: 'ok',
        found: expect.stringContaining('will be made'),
      });
      const file = path.join(directory, 'file');
      writeFileSync(file, '');
      expect(checkDataDir(path.join(file, 'data'))).toMatchObject({ result: 'fail' });
    } finally {
      rmSync(directory, { recursive: true });
    }
  });

  it.each([
    ['Max open files            1024                 1048576              files', 'warn'],
    ['Max open files            65536                1048576              files', 'ok'],
    ['Max open files            unlimited            unlimited            files', 'ok'],
    ['', 'warn'],
  ])('read the limit on open files from %j', (limits, result) => {
    expect(checkOpenFiles(limits).result).toBe(result);
  });

  it('miss setpriv where it is not', () => {
    expect(checkSetpriv('/usr/bin/setpriv').result).toBe('ok');
    expect(checkSetpriv(undefined).result).toBe('warn');
  });
});
