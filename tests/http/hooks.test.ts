import type { Hook } from '../../src/media-server/srs/hook';
import { HttpHouse } from '../helpers/http-house';

/** As SRS 7 sends it. */
const ON_PUBLISH = {
  server_id: 'vid-k21d7y2',
  service_id: '9o7g1330',
  action: 'on_publish',
  client_id: '7q4h5h2t',
  ip: '127.0.0.1',
  vhost: '__defaultVhost__',
  app: 'live',
  tcUrl: 'rtmp://127.0.0.1:1935/live',
  stream: 'song',
  param: '?token=abc',
  stream_url: '/live/song',
  stream_id: 'vid-124q9y3',
};

const SECRET = 'a-secret-of-sixteen-or-more';

describe('the doors for SRS’s hooks', () => {
  let http: HttpHouse;
  let heard: Hook[];

  async function open(config: { hookSecret?: string } = {}): Promise<void> {
    http = await HttpHouse.open(config);
    heard = [];
    http.hooks.serve('__defaultVhost__', {
      decide: (hook) => {
        heard.push(hook);
        return hook.stream === 'song' ? { allowed: true } : { allowed: false, reason: 'not on the list' };
      },
    });
  }

  afterEach(() => http.close());

  it.each(['connect', 'close', 'publish', 'unpublish', 'play', 'stop'])(
    'take on_%s at both paths, and answer what SRS reads as yes',
    async (name) => {
      await open();
      for (const path of [`/hooks/on_${name}`, `/api/srs/${name}`]) {
        const { status, json } = await http.ask(path, { json: { ...ON_PUBLISH, action: `on_${name}` } });
        expect([status, json]).toEqual([200, { code: 0 }]);
      }
      expect(heard.map(({ action }) => action)).toEqual([`on_${name}`, `on_${name}`]);
    },
  );

  it('refuse with 200 and another code than 0', async () => {
    await open();
    const answer = await http.ask('/hooks/on_publish', { json: { ...ON_PUBLISH, stream: 'other' } });
    expect([answer.status, answer.json]).toEqual([200, { code: 1 }]);
  });

  it('count what they answered, and how long SRS waited', async () => {
    await open();
    await http.ask('/hooks/on_publish', { json: ON_PUBLISH });
    await http.ask('/hooks/on_publish', { json: { ...ON_PUBLISH, stream: 'other' } });
    const metrics = (await http.request('/metrics')).body.toString();
    expect(metrics).toContain('vibesflow_srs_hooks_total{action="on_publish",result="allowed"} 1');
    expect(metrics).toContain('vibesflow_srs_hooks_total{action="on_publish",result="refused"} 1');
    expect(metrics).toContain('vibesflow_srs_hook_seconds_count 2');
  });

  it.each([
    ['no JSON', '{', 'invalid-json'],
    ['a list', '[]', 'invalid-field'],
    ['a number', '7', 'invalid-field'],
    ['another hook’s body', JSON.stringify({ ...ON_PUBLISH, action: 'on_play' }), 'invalid-field'],
    ['a stream that is no name', JSON.stringify({ ...ON_PUBLISH, stream: { a: 1 } }), 'invalid-field'],
    ['an endless member', JSON.stringify({ ...ON_PUBLISH, param: 'x'.repeat(5_000) }), 'invalid-field'],
  ])('answer 400 to %s', async (_what, body, code) => {
    await open();
    const headers = { 'content-type': 'application/json' };
    const { status, json } = await http.ask('/hooks/on_publish', { method: 'POST', body, headers });
    expect([status, json['code'], heard]).toEqual([400, code, []]);
  });

  it('answer 413 to a body that no hook has', async () => {
    await open();
    const { status } = await http.ask('/hooks/on_publish', {
      json: { ...ON_PUBLISH, more: 'x'.repeat(70_000) },
    });
    expect(status).toBe(413);
  });

  it('answer 405 to who only looks', async () => {
    await open();
    expect((await http.request('/hooks/on_publish')).status).toBe(405);
  });

  it.each(['x-forwarded-for', 'x-real-ip', 'forwarded', 'origin', 'sec-fetch-site'])(
    'turn away what came through a proxy or from a browser: %s',
    async (name) => {
      await open({ hookSecret: SECRET });
      const answer = await http.ask(`/hooks/${SECRET}/on_publish`, {
        json: ON_PUBLISH,
        headers: { [name]: '127.0.0.1' },
      });
      expect([answer.status, answer.json['code'], heard]).toEqual([403, 'forbidden', []]);
    },
  );

  it.each([
    ['/hooks', 'on_publish'],
    ['/api/srs', 'publish'],
  ])('want the secret between %s and %s where there is one', async (first, last) => {
    await open({ hookSecret: SECRET });
    const statuses = [];
    for (const path of [`${first}/${last}`, `${first}/wrong/${last}`, `${first}/${SECRET}x/${last}`])
      statuses.push((await http.ask(path, { json: ON_PUBLISH })).status);
    expect([statuses, heard]).toEqual([[403, 403, 403], []]);
    expect((await http.ask(`${first}/${SECRET}/${last}`, { json: ON_PUBLISH })).json).toEqual({ code: 0 });
  });

  it('know no secret where none is set', async () => {
    await open();
    expect((await http.ask(`/hooks/${SECRET}/on_publish`, { json: ON_PUBLISH })).status).toBe(403);
  });
});
