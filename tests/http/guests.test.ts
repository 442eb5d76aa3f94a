import { eventually } from '../helpers/eventually';
import { HttpHouse } from '../helpers/http-house';
import { RawConnection } from '../helpers/raw-http';

const MALLORY = { 'x-forwarded-for': '203.0.113.9' };
const ANN = { 'x-forwarded-for': '198.51.100.7' };

let http: HttpHouse;
let opened: RawConnection[];
beforeEach(() => (opened = []));
afterEach(async () => {
  for (const connection of opened) connection.destroy();
  await http.close();
});

async function raw(text: string): Promise<RawConnection> {
  const connection = await RawConnection.open(http.port);
  opened.push(connection);
  connection.send(text);
  return connection;
}

function upgrade(vibeId: string, from: string, door = 'events'): Promise<RawConnection> {
  return raw(
    `GET /stream/${vibeId}/${door} HTTP/1.1\r\nHost: x\r\nX-Forwarded-For: ${from}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n` +
      'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n',
  );
}

describe('control calls', () => {
  const ask = (headers: Record<string, string>, path = '/streams/active') => http.request(path, { headers });

  it('of one address have a bound a minute, and are told how many are left', async () => {
    http = await HttpHouse.open({ maxRequestsPerMinute: 3 });
    const first = await ask(MALLORY);
    expect(first.headers['ratelimit-policy']).toMatch(/^"control"; q=3; w=60/);
    expect(first.headers['ratelimit']).toMatch(/^"control"; r=2; t=\d+/);
    for (let asked = 0; asked < 2; asked += 1) expect((await ask(MALLORY)).status).toBe(200);
    const refused = await http.ask('/streams/active', { headers: MALLORY });
    expect([refused.status, refused.json['code']]).toEqual([429, 'too-many-requests']);
    expect(Number(refused.headers['retry-after'])).toBeGreaterThan(0);
    expect((await ask(ANN)).status).toBe(200);
  });

  it('of a client that names other addresses before its own have the same bound', async () => {
    http = await HttpHouse.open({ maxRequestsPerMinute: 2 });
    const spoofed = (n: number) => ask({ 'x-forwarded-for': `10.1.2.${n}, 203.0.113.9` });
    const statuses = await Promise.all([1, 2, 3, 4].map(async (n) => (await spoofed(n)).status));
    expect(statuses.sort()).toEqual([200, 200, 429, 429]);
  });

  it('of one IPv6 network have one bound', async () => {
    http = await HttpHouse.open({ maxRequestsPerMinute: 2 });
    const rotating = (n: number) => ask({ 'x-forwarded-for': `2001:db8:7:${n}::1` });
    const statuses = await Promise.all([1, 2, 3].map(async (n) => (await rotating(n)).status));
    expect(statuses.sort()).toEqual([200, 200, 429]);
  });

  it('of monitors, audio, and this machine itself have none', async () => {
    http = await HttpHouse.open({ maxRequestsPerMinute: 1 });
    for (let asked = 0; asked < 3; asked += 1) {
      expect((await ask(MALLORY, '/health')).status).toBe(200);
      expect((await ask({})).status).toBe(200);
      expect((await http.post('/stream/v/audio', Buffer.alloc(4), MALLORY)).status).toBe(202);
    }
  });
});

describe('lasting connections', () => {
  it('of one address have a bound; one that ends makes room', async () => {
    http = await HttpHouse.open({ maxConnectionsPerAddress: 2 });
    await http.ask('/stream/v/start', { json: { creator: 'ann' } });
    const first = await upgrade('v', '203.0.113.9');
    await first.until(/^HTTP\/1\.1 101 /);
    await (await upgrade('v', '203.0.113.9')).until(/^HTTP\/1\.1 101 /);
    const third = await upgrade('v', '203.0.113.9');
    expect(await third.closed).toMatch(/^HTTP\/1\.1 429 [^]*"code":"too-many-requests"/);
    await (await upgrade('v', '198.51.100.7')).until(/^HTTP\/1\.1 101 /);
    first.destroy();
    await eventually('there is room', async () => {
      const next = await upgrade('v', '203.0.113.9');
      return /^HTTP\/1\.1 101 /.test((await next.until(/^HTTP\/1\.1 \d+ /))[0]);
    });
  });

  it('count bodies that are under way, until they have come', async () => {
    http = await HttpHouse.open({ maxConnectionsPerAddress: 1 });
    const head = 'POST /stream/v/audio HTTP/1.1\r\nHost: x\r\nX-Forwarded-For: 203.0.113.9\r\n';
    const slow = await raw(`${head}Transfer-Encoding: chunked\r\n\r\n4\r\nabcd\r\n`);
    await eventually('its first audio is there', () => http.registry.get('v'));
    const second = await raw(`${head}Content-Length: 8\r\n\r\nabcd`);
    await second.until(/^HTTP\/1\.1 429 [^]*"code":"too-many-requests"/);
    slow.send('0\r\n\r\n');
    await slow.until(/202 Accepted/);
    expect((await http.post('/stream/v/audio', Buffer.alloc(8), MALLORY)).status).toBe(202);
  });

  it('to send to one vibe are few for one address', async () => {
    http = await HttpHouse.open();
    for (let open = 0; open < 8; open += 1)
      await (await upgrade('v', '203.0.113.9', 'audio')).until(/^HTTP\/1\.1 101 /);
    expect(await (await upgrade('v', '203.0.113.9', 'audio')).closed).toMatch(/^HTTP\/1\.1 429 /);
    await (await upgrade('other', '203.0.113.9', 'audio')).until(/^HTTP\/1\.1 101 /);
  });
});

describe('wrong credentials', () => {
  it('of one address are answered so often a minute; right ones always, from wherever', async () => {
    http = await HttpHouse.open({ maxFailedLogins: 5 });
    const { json } = await http.ask('/stream/v/start', { json: { creator: 'ann', claim: true } });
    const end = (key: string, from: Record<string, string>) =>
      http.ask('/stream/v/end', {
        json: { creator: 'ann', drain: false },
        headers: { ...from, authorization: `Bearer ${key}` },
      });
    for (let tried = 0; tried < 5; tried += 1) expect((await end('wrong', MALLORY)).status).toBe(403);
    for (let tried = 0; tried < 95; tried += 1) {
      const { status, json: problem } = await end('wrong', MALLORY);
      expect([status, problem['code']]).toEqual([429, 'too-many-requests']);
    }
    // Ann, who shares Mallory's address, and from elsewhere.
    const send = async (from: Record<string, string>): Promise<number> => {
      const headers = { ...from, authorization: `Bearer ${String(json['ownerKey'])}` };
      return (await http.post('/stream/v/audio', Buffer.alloc(8), headers)).status;
    };
    expect([await send(MALLORY), await send(ANN)]).toEqual([202, 202]);
  });

  it('are forgiven after a minute', async () => {
    http = await HttpHouse.open({ maxFailedLogins: 1 });
    await http.ask('/stream/v/start', { json: { creator: 'ann', claim: true } });
    const end = async () => {
      const headers = { ...MALLORY, authorization: 'Bearer wrong' };
      return (await http.ask('/stream/v/end', { json: { creator: 'ann' }, headers })).status;
    };
    expect([await end(), await end()]).toEqual([403, 429]);
    http.house.clock.advance(60_000);
    expect(await end()).toBe(403);
  });

  it('in a WebSocket’s URL count as well', async () => {
    http = await HttpHouse.open({ maxFailedLogins: 1 });
    await http.ask('/stream/v/start', { json: { creator: 'ann', claim: true } });
    const path = 'v/audio?creator=ann&sampleRate=48000&token=wrong';
    const open = () =>
      raw(
        `GET /stream/${path} HTTP/1.1\r\nHost: x\r\nX-Forwarded-For: 203.0.113.9\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n` +
          'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n',
      );
    await (await open()).until(/101 [^]*wrong-owner-key/);
    await (await open()).until(/101 [^]*too-many-requests/);
  });
});

describe('a machine without room', () => {
  it('starts no other vibe, says so, and goes on with those that are there', async () => {
    http = await HttpHouse.open();
    await http.ask('/stream/old/start', { json: { creator: 'ann' } });
    Object.assign(http.house, { headroom: { shortage: 'only 3 MB of memory are free' } });
    const start = await http.ask('/stream/new/start', { json: { creator: 'ann' } });
    expect([start.status, start.json['code'], start.headers['retry-after']]).toEqual([
      503,
      'overloaded',
      '10',
    ]);
    expect((await http.post('/stream/newer/audio', Buffer.alloc(4))).status).toBe(503);
    expect((await http.post('/stream/old/audio?creator=ann', Buffer.alloc(4))).status).toBe(202);
    const ready = await http.ask('/ready');
    expect([ready.status, ready.json['failing']]).toEqual([503, ['headroom']]);
    expect(ready.json['detail']).toContain('only 3 MB of memory are free');
  });
});
