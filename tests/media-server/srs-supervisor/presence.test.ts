import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { systemClock } from '../../../src/base/clock';
import { presence, uptimeSeconds } from '../../../src/media-server/srs-supervisor/presence';
import { eventually } from '../../helpers/eventually';
import { FakeClock } from '../../helpers/fake-clock';
import { freePort } from '../../helpers/free-port';

describe('who answers at SRS’s API', () => {
  let server: http.Server;
  let url: string;
  let requests: { url: string | undefined; port: number | undefined }[];
  let reply: (response: http.ServerResponse) => void;

  beforeEach(async () => {
    requests = [];
    server = http.createServer((request, response) => {
      requests.push({ url: request.url, port: request.socket.remotePort });
      reply(response);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  afterEach(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });

  const say = (value: unknown) => (response: http.ServerResponse) => void response.end(JSON.stringify(value));

  it('is told by it', async () => {
    reply = say({ code: 0, server: 'vid-1', service: 's1', pid: '4711', data: { version: '7.0.18' } });
    expect(await presence(url, systemClock)).toEqual({
      pid: 4711,
      server: 'vid-1',
      service: 's1',
      version: { major: 7, minor: 0, revision: 18 },
    });
    expect(requests[0]?.url).toBe('/api/v1/versions');
  });

  it('is asked on a new connection each time: the kernel may give it to another', async () => {
    reply = say({ code: 0, server: 'vid-1', service: 's1', pid: '4711', data: { version: '7.0.18' } });
    await presence(url, systemClock);
    await presence(url, systemClock);
    const [first, second] = requests.map(({ port }) => port);
    expect(first).toBeGreaterThan(0);
    expect(first).not.toBe(second);
  });

  it.each([
    {},
    { pid: 'x', data: { version: '7.0.18' } },
    { pid: '1', data: { version: 'nginx' } },
    { pid: '1' },
  ])('is not SRS where it says %j', async (body) => {
    reply = say(body);
    await expect(presence(url, systemClock)).rejects.toThrow('what answers is not SRS');
  });

  it('is not SRS where it says no JSON, or too much', async () => {
    reply = (response) => void response.end('<html>');
    await expect(presence(url, systemClock)).rejects.toThrow();
    reply = (response) => void response.end('x'.repeat(100_000));
    await expect(presence(url, systemClock)).rejects.toThrow('what answers is not SRS');
  });

  it('is nobody where nothing listens', async () => {
    await expect(presence(`http://127.0.0.1:${await freePort()}`, systemClock)).rejects.toThrow(
      'nothing listens there',
    );
  });

  it('is nobody where nothing is said within a second', async () => {
    const clock = new FakeClock();
    reply = () => undefined;
    const asked = expect(presence(url, clock)).rejects.toThrow('no answer within a second');
    await eventually('the question arrives', () => requests.length === 1);
    clock.advance(1_000);
    await asked;
    expect(clock.pendingTimers).toBe(0);
  });

  it('says since when it runs', async () => {
    reply = say({ code: 0, data: { self: { srs_uptime: 187 } } });
    expect(await uptimeSeconds(url, systemClock)).toBe(187);
    expect(requests[0]?.url).toBe('/api/v1/summaries');
  });
});
