import { Script } from 'node:vm';
import { HttpHouse } from '../helpers/http-house';

let http: HttpHouse;
beforeEach(async () => (http = await HttpHouse.open()));
afterEach(() => http.close());

describe('the pages', () => {
  it.each(['/', '/listen/v'])(
    '%s is HTML that loads everything from here, and runs no inline script',
    async (path) => {
      const { status, headers, body } = await http.request(path);
      expect([status, headers['content-type']]).toEqual([200, 'text/html; charset=utf-8']);
      expect(headers['cache-control']).toBe('no-cache');
      const html = body.toString();
      expect(html).not.toMatch(/<script(?![^>]*\bsrc=)|\son\w+=|style=/);
      const urls = [...html.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, url]) => url as string);
      const loaded = urls.filter((url) => url.startsWith('/assets/'));
      expect(loaded.length).toBeGreaterThanOrEqual(2);
      for (const url of urls) expect(url).toMatch(/^(\/assets\/|\/$|data:,)/);
      for (const url of loaded) expect((await http.request(url)).status).toBe(200);
    },
  );

  it('have scripts that parse', async () => {
    for (const name of ['dashboard.js', 'listen.js', 'mpegts.js']) {
      const { headers, body } = await http.request(`/assets/${name}`);
      expect(headers['content-type']).toMatch(/javascript/);
      expect(() => new Script(body.toString())).not.toThrow();
    }
  });

  it('ask again whether they are still fresh', async () => {
    const first = await http.request('/assets/style.css');
    expect(first.headers['cache-control']).toBe('no-cache');
    const again = await http.request('/assets/style.css', {
      headers: { 'if-none-match': first.headers.etag },
    });
    expect(again.status).toBe(304);
  });

  it('refuse a bad id and what is not there', async () => {
    expect((await http.ask('/listen/a.b')).json['code']).toBe('invalid-vibe-id');
    expect((await http.ask('/assets/nothing.js')).json['code']).toBe('not-found');
    expect((await http.ask('/listen.html')).status).toBe(404);
  });
});
