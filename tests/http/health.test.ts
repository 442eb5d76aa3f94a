import { HttpHouse } from '../helpers/http-house';

let http: HttpHouse;
beforeEach(async () => (http = await HttpHouse.open({ maxStreams: 1 })));
afterEach(() => http.close());

describe('the health door', () => {
  it('answers 200 as long as the process lives, and says how the media server is', async () => {
    await http.post('/stream/v/audio', Buffer.alloc(4_000));
    http.house.clock.advance(5_000);
    const { status, json } = await http.ask('/health');
    expect(status).toBe(200);
    expect(json).toEqual({
      status: 'ok',
      activeStreams: 1,
      mediaServer: { kind: 'embedded', up: true, version: '0.0.0' },
      srsRunning: true,
      journal: { up: true },
      version: '1.2.3',
      uptimeSeconds: 5,
      timestamp: http.house.clock.epochMs(),
    });
    http.house.mediaServer.health = { kind: 'embedded', up: false, version: '0.0.0' };
    expect((await http.ask('/health')).json).toMatchObject({ srsRunning: false, mediaServer: { up: false } });
  });

  it('says that vibes would not survive the relay’s death, and why', async () => {
    http.journalFault = 'the journal in DATA_DIR cannot be written (ENOSPC)';
    const { status, json } = await http.ask('/health');
    expect([status, json['status']]).toEqual([200, 'ok']);
    expect(json['journal']).toEqual({ up: false, detail: http.journalFault });
    expect((await http.ask('/ready')).status).toBe(200);
  });
});

describe('the readiness door', () => {
  it('answers 200 where a vibe would be taken', async () => {
    const { status, json } = await http.ask('/ready');
    expect([status, json['status']]).toEqual([200, 'ready']);
  });

  it.each<[string, () => unknown]>([
    ['mediaServer', () => (http.house.mediaServer.health = { kind: 'embedded', up: false, version: '0' })],
    ['accepting', () => http.registry.drain(0)],
    ['capacity', () => http.registry.start({ vibeId: 'v', creator: 'ann' })],
    ['headroom', () => Object.assign(http.house, { headroom: { shortage: 'only 3 MB of memory are free' } })],
  ])('answers 503 and names %s', async (name, spoil) => {
    spoil();
    const { status, headers, json } = await http.ask('/ready');
    expect([status, json['code'], json['failing']]).toEqual([503, 'not-ready', [name]]);
    expect(headers['retry-after']).toBe('1');
    expect(json['checks']).toHaveLength(4);
  });
});

describe('the metrics door', () => {
  it('gives Prometheus text', async () => {
    await http.post('/stream/v/audio', Buffer.alloc(4_000));
    const { status, headers, body } = await http.request('/metrics');
    expect(status).toBe(200);
    expect(headers['content-type']).toContain('text/plain; version=0.0.4');
    expect(body.toString()).toContain('vibesflow_ingest_bytes_total{door="post"} 4000');
    expect(body.toString()).toContain('vibesflow_vibes{state="buffering"} 1');
  });
});
