import { Script } from 'node:vm';
import { HttpHouse } from '../helpers/http-house';
import { RawConnection } from '../helpers/raw-http';

let http: HttpHouse;
beforeEach(async () => (http = await HttpHouse.open()));
afterEach(() => http.close());

describe('the pages', () => {
  it('make no fuss of readers who go away before they have come', async () => {
    const error = jest.spyOn(http.house.logger, 'error').mockImplementation();
    for (let reader = 0; reader < 50; reader += 1) {
      const connection = await RawConnection.open(http.port);
      connection.send('GET / HTTP/1.1\r\nHost: x\r\n\r\n'.repeat(3));
      // Some are gone before the page is read from the disk, some after it.
      if (reader % 2 > 0) await new Promise(setImmediate);
      connection.reset();
    }
    expect((await http.request('/')).status).toBe(200);
    expect(error.mock.calls).toEqual([]);
    error.mockRestore();
  });

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
