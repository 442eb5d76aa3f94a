import http from 'node:http';
import type { AddressInfo } from 'node:net';
import pino from 'pino';
import { SrsWatcher } from '../../../src/media-server/srs-supervisor/watcher';
import { FakeClock } from '../../helpers/fake-clock';

describe('the watcher of somebody else’s SRS', () => {
  let server: http.Server;
  let apiUrl: string;
  let answer: { service: string; version: string } | undefined;
  let said: string[];
  let watcher: SrsWatcher;

  beforeEach(async () => {
    said = [];
    answer = { service: 's1', version: '7.0.162' };
    server = http.createServer((request, response) => {
      if (!answer) return void request.socket.destroy();
      const { service, version } = answer;
      response.end(JSON.stringify({ code: 0, server: 'v', service, pid: '7', data: { version } }));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    apiUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const logger = pino(
      { formatters: { level: (level) => ({ level }) } },
      {
        write: (line) => {
          const { level, msg } = JSON.parse(line) as { level: string; msg: string };
          said.push(`${level} ${msg.split(':')[0]}`);
        },
      },
    );
    watcher = new SrsWatcher({ apiUrl, clock: new FakeClock(), logger });
  });
  afterEach(async () => {
    watcher.close();
    await new Promise((resolve) => server.close(resolve));
  });

  it('says once what runs, with its known faults', async () => {
    await watcher.look();
    await watcher.look();
    expect(said).toEqual([
      'warn this SRS has a known fault',
      'warn this SRS has a known fault',
      'info SRS runs',
    ]);
  });

  it('says that it was started anew, or has become another release', async () => {
    await watcher.look();
    said.length = 0;
    answer = { service: 's2', version: '7.0.162' };
    await watcher.look();
    expect(said).toEqual(['info SRS was started anew']);
    answer = { service: 's3', version: '5.0.216' };
    await watcher.look();
    expect(said.slice(1)).toEqual(['warn this SRS has a known fault', 'info SRS was started anew']);
  });

  it('says once that it does not answer, after three looks, and that it does again', async () => {
    await watcher.look();
    said.length = 0;
    answer = undefined;
    await watcher.look();
    await watcher.look();
    expect(said).toEqual([]);
    await watcher.look();
    await watcher.look();
    expect(said).toEqual(['error SRS does not answer']);
    answer = { service: 's1', version: '7.0.162' };
    await watcher.look();
    expect(said.slice(1)).toEqual(['info SRS answers again']);
  });

  it('says at once that there is none', async () => {
    answer = undefined;
    await watcher.look();
    expect(said).toEqual(['error SRS does not answer']);
  });

  it('looks every two seconds until it is closed', async () => {
    const clock = new FakeClock();
    const own = new SrsWatcher({ apiUrl, clock, logger: pino({ level: 'silent' }) });
    let looks = 0;
    own.look = async () => void (looks += 1);
    own.start();
    clock.advance(6_000);
    expect(looks).toBe(4);
    own.close();
    clock.advance(6_000);
    expect(looks).toBe(4);
    expect(clock.pendingTimers).toBe(0);
  });
});
