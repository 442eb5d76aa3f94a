import { HttpHouse } from '../helpers/http-house';

let http: HttpHouse;
beforeEach(async () => (http = await HttpHouse.open()));
afterEach(() => http.close());

const ENVELOPE = {
  code: 0,
  server: expect.stringMatching(/^vid-[0-9a-f]{7}$/),
  service: expect.any(String),
  pid: String(process.pid),
};

describe('the API in SRS’s shapes', () => {
  it('tells the media server’s version', async () => {
    http.house.mediaServer.health = { kind: 'embedded', up: true, version: '4.12.3' };
    const { status, json } = await http.ask('/api/v1/versions');
    expect(status).toBe(200);
    expect(json).toEqual({ ...ENVELOPE, data: { major: 4, minor: 12, revision: 3, version: '4.12.3' } });
  });

  it('sums up the process and the machine', async () => {
    http.house.clock.advance(7_000);
    const { json } = await http.ask('/api/v1/summaries');
    expect(json).toMatchObject({
      ...ENVELOPE,
      data: {
        ok: true,
        now_ms: http.house.clock.epochMs(),
        self: { version: '1.2.3', pid: process.pid, srs_uptime: 7, mem_kbyte: expect.any(Number) },
        system: { cpus: expect.any(Number), load_1m: expect.any(Number), conn_srs: 0 },
      },
    });
  });

  it('lists streams; the publisher is one of the clients', async () => {
    await http.post('/stream/v/audio', Buffer.alloc(192_000));
    http.house.clock.advance(700);
    http.house.mediaServer.setPlayers('v', 2);
    const { json } = await http.ask('/api/v1/streams/');
    expect(json).toEqual({
      ...ENVELOPE,
      streams: [
        {
          id: expect.stringMatching(/^vid-/),
          name: 'v',
          vhost: expect.stringMatching(/^vid-/),
          app: 'live',
          tcUrl: 'rtmp://127.0.0.1:1935/live',
          url: '/live/v',
          live_ms: http.house.clock.epochMs(),
          clients: 3,
          frames: 0,
          send_bytes: 0,
          recv_bytes: 0,
          kbps: { recv_30s: 0, send_30s: 0 },
          publish: { active: true, cid: expect.stringMatching(/^vid-/) },
          video: null,
          audio: { codec: 'AAC', sample_rate: 48_000, channel: 2, profile: 'LC' },
        },
      ],
    });
  });

  it.each([
    ['', 10, 'v0'],
    ['?count=2', 10, 'v0'],
    ['?count=11', 11, 'v0'],
    ['?start=5&count=100', 8, 'v5'],
    ['?start=-5&count=nonsense', 10, 'v0'],
    ['?start=100', 0, undefined],
  ])('pages with %s as SRS does: ten at least', async (query, length, first) => {
    for (let index = 0; index < 13; index += 1) http.registry.start({ vibeId: `v${index}`, creator: 'ann' });
    const { json } = await http.ask(`/api/v1/streams/${query}`);
    const streams = json['streams'] as { name: string }[];
    expect([streams.length, streams[0]?.name]).toEqual([length, first]);
  });

  it('insists on the slash as SRS does', async () => {
    const { status, headers } = await http.request('/api/v1/streams?count=20');
    expect([status, headers.location]).toEqual([302, '/api/v1/streams/?count=20']);
  });

  it.each([
    '/api/v1/clients/',
    '/api/v1/clients/7',
    '/api/v1/raw?rpc=reload',
    '/api/v1/vhosts/',
    '/api/v1/',
    '/api/v1/streams/v',
  ])('has no %s, whatever the method', async (path) => {
    for (const method of ['GET', 'POST', 'DELETE'])
      expect((await http.ask(path, { method })).status).toBe(404);
  });
});
