import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { MAX_CONNECTIONS, RESERVED_FILES } from '../../../src/media-server/srs/conf';
import {
  assertFilesLimit,
  portFault,
  portsOf,
  writeConf,
} from '../../../src/media-server/srs-supervisor/preflight';
import { freePorts } from '../../helpers/free-port';

describe('the ports of SRS', () => {
  const ports = async (): Promise<ReturnType<typeof portsOf>> => {
    const [rtmpPort = 0, httpPort = 0, apiPort = 0, rtcPort = 0] = await freePorts(4);
    return portsOf({ rtmpPort, httpPort, apiPort, rtcPort });
  };

  it('are four, one of them for UDP as well, and RTC on all addresses', async () => {
    const all = await ports();
    expect(all.map(({ setting, host, protocol }) => `${setting} ${host} ${protocol}`)).toEqual([
      'RTMP_PORT 127.0.0.1 tcp',
      'MEDIA_HTTP_PORT 127.0.0.1 tcp',
      'MEDIA_API_PORT 127.0.0.1 tcp',
      'RTC_PORT 0.0.0.0 tcp',
      'RTC_PORT 0.0.0.0 udp',
    ]);
  });

  it('are found free, and are free afterwards', async () => {
    const all = await ports();
    expect(await portFault(all)).toBeUndefined();
    expect(await portFault(all)).toBeUndefined();
  });

  it.each([0, 1, 2, 3])('are found taken: TCP port %i', async (index) => {
    const all = await ports();
    const { port, setting } = all[index]!;
    const holder = net.createServer().listen(port, '127.0.0.1');
    await once(holder, 'listening');
    const fault = await portFault(all);
    holder.close();
    await once(holder, 'close');
    expect(fault).toMatch(
      new RegExp(`^Port ${port} \\(${setting}\\) is in use, perhaps by another SRS: .*sport = :${port}`),
    );
  });

  it('are found taken: the UDP port', async () => {
    const all = await ports();
    const holder = createSocket('udp4').bind(all[4]!.port, '127.0.0.1');
    await once(holder, 'listening');
    const fault = await portFault(all);
    holder.close();
    expect(fault).toMatch(/^UDP port \d+ \(RTC_PORT\) is in use/);
  });
});

describe('the limit of open files', () => {
  const limits = (soft: string): string =>
    `Limit  Soft Limit  Hard Limit  Units\nMax open files            ${soft}   1048576   files\n`;
  const needed = MAX_CONNECTIONS + RESERVED_FILES;

  it('is refused where SRS would refuse it', () => {
    expect(() => assertFilesLimit(limits('1024'))).toThrow(/may have 1024: raise the limit/);
    expect(() => assertFilesLimit(limits(String(needed)))).toThrow(
      expect.objectContaining({ exitCode: 69 }) as Error,
    );
    expect(() => assertFilesLimit(limits(String(needed + 1)))).not.toThrow();
    expect(() => assertFilesLimit(limits('unlimited'))).not.toThrow();
  });

  it('is not known everywhere', () => {
    expect(() => assertFilesLimit('')).not.toThrow();
  });
});

describe('the configuration on disk', () => {
  let parent: string;
  beforeEach(() => (parent = mkdtempSync(path.join(os.tmpdir(), 'preflight-'))));
  afterEach(() => rmSync(parent, { recursive: true, force: true }));

  it('is for its user and group alone, also where an older one was for all', () => {
    const directory = path.join(parent, 'data', 'srs');
    mkdirSync(directory, { recursive: true });
    writeFileSync(path.join(directory, 'srs.conf'), 'old', { mode: 0o666 });
    const file = writeConf(directory, 'new');
    expect(file).toBe(path.join(directory, 'srs.conf'));
    expect(readFileSync(file, 'utf8')).toBe('new');
    expect(statSync(file).mode & 0o777).toBe(0o640);
    expect(existsSync(`${file}.new`)).toBe(false);
  });

  it('has a directory for HLS beside it, emptied of what an earlier SRS left', () => {
    const directory = path.join(parent, 'srs');
    mkdirSync(path.join(directory, 'hls', 'live'), { recursive: true });
    writeFileSync(path.join(directory, 'hls', 'live', 'old.m3u8'), '');
    writeFileSync(path.join(directory, 'srs.id'), 'vid-1');
    writeConf(directory, '');
    expect(existsSync(path.join(directory, 'hls', 'live'))).toBe(false);
    expect(statSync(path.join(directory, 'hls')).isDirectory()).toBe(true);
    expect(readFileSync(path.join(directory, 'srs.id'), 'utf8')).toBe('vid-1');
  });

  it('cannot be written where no directory can be made', () => {
    writeFileSync(path.join(parent, 'file'), '');
    expect(() => writeConf(path.join(parent, 'file', 'srs'), '')).toThrow(
      expect.objectContaining({ exitCode: 73 }) as Error,
    );
    mkdirSync(path.join(parent, 'srs', 'srs.conf', 'in the way'), { recursive: true });
    expect(() => writeConf(path.join(parent, 'srs'), '')).toThrow(
      expect.objectContaining({ exitCode: 73 }) as Error,
    );
  });
});
