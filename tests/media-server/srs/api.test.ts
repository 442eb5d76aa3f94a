import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { SrsApi, SrsApiError } from '../../../src/media-server/srs/api';
import { eventually } from '../../helpers/eventually';
import { FakeClock } from '../../helpers/fake-clock';
import { FixtureSrs } from '../../helpers/fixture-srs';

describe('SRS’s API', () => {
  let srs: FixtureSrs;
  let clock: FakeClock;
  let api: SrsApi;

  beforeEach(async () => {
    srs = new FixtureSrs();
    await srs.start();
    clock = new FakeClock();
    api = new SrsApi({ baseUrl: `http://127.0.0.1:${srs.apiPort}`, clock });
  });

  afterEach(async () => {
    api.close();
    await srs.stop();
    expect(clock.pendingTimers).toBe(0);
  });

  const failureOf = (promise: Promise<unknown>): Promise<unknown> =>
    promise.then(
      () => 'none',
      (error: unknown) => (error instanceof SrsApiError ? error.failure : error),
    );

  it('tells its version', async () => {
    expect(await api.version()).toBe('7.0.18');
  });

  it('lists all streams, though it gives ten unless asked for more', async () => {
    for (let id = 0; id < 12; id += 1) srs.addClient(`c${id}`, `/live/v${id}`, true);
    const { streams, service, pid } = await api.streams();
    expect([streams.length, service, pid]).toEqual([12, 'service-0', '4711']);
    const count = Number(/count=(\d+)/.exec(srs.asked.at(-1) as string)?.[1]);
    expect(count).toBeGreaterThanOrEqual(100_000);
  });

  it('tells who publishes and how many are connected', async () => {
    srs.addClient('p', '/live/song', true);
    srs.addClient('a', '/live/song');
    srs.addClient('b', '/live/waiting');
    expect((await api.streams()).streams).toEqual([
      { url: '/live/song', publishing: true, publisherId: 'p', hasAudio: true, clients: 2 },
      { url: '/live/waiting', publishing: false, publisherId: '', hasAudio: false, clients: 1 },
    ]);
    expect(await api.clients()).toEqual([
      { id: 'p', url: '/live/song', publishing: true },
      { id: 'a', url: '/live/song', publishing: false },
      { id: 'b', url: '/live/waiting', publishing: false },
    ]);
  });

  it('ends a client, and says whether there was one', async () => {
    srs.addClient('a/b', '/live/song');
    expect(await api.kick('a/b')).toBe(true);
    expect(await api.kick('nobody')).toBe(false);
    expect(srs.kicked).toEqual(['a/b', 'nobody']);
  });

  it('does not run where nothing listens', async () => {
    await srs.stop();
    expect(await failureOf(api.streams())).toBe('refused');
  });

  it('says nothing about its streams by not answering', async () => {
    srs.hung = true;
    const failure = failureOf(api.streams());
    await eventually('the request has come', () => srs.asked.length > 0);
    clock.advance(1_500);
    expect(await failure).toBe('silent');
  });

  it('may close a connection that is kept between two questions', async () => {
    await api.version();
    await srs.stop();
    await srs.start();
    expect(await api.version()).toBe('7.0.18');
  });

  it.each([
    ['no JSON', 200, 'hello'],
    ['another status', 500, '{"code":0}'],
    ['a list', 200, '[]'],
    ['another code', 200, '{"code":1061}'],
    ['no streams', 200, '{"code":0,"service":"a","pid":"1"}'],
  ])('is something else where it answers with %s', async (_what, status, body) => {
    const other = http.createServer((_req, res) => res.writeHead(status).end(body));
    await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
    const { port } = other.address() as AddressInfo;
    const its = new SrsApi({ baseUrl: `http://127.0.0.1:${port}`, clock });
    expect(await failureOf(its.streams())).toBe('wrong');
    its.close();
    await new Promise((resolve) => other.close(resolve));
  });
});
