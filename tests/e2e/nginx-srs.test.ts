import { eventually } from '../helpers/eventually';
import { FlvListener } from '../helpers/flv-listener';
import { httpRequest, type HttpAnswer } from '../helpers/http-request';
import { Nginx } from '../helpers/nginx';
import { NGINX_NEEDS } from '../helpers/nginx-house';
import { describeSrs } from '../helpers/srs';
import { SrsHouse } from '../helpers/srs-house';
import { describeWith } from '../helpers/system-program';
import { trust } from '../helpers/web';

const ORIGIN = { origin: 'https://player.example' };

describeWith(NGINX_NEEDS)('nginx in front of a real SRS', () => {
  describeSrs('media', () => {
    let house: SrsHouse;
    let nginx: Nginx;
    beforeAll(async () => {
      house = await SrsHouse.open();
      nginx = await Nginx.start({ apiUrl: house.hooks.url, mediaUrl: house.srs.httpUrl });
      trust(nginx.ca);
      await house.onAir('hello');
    }, 60_000);
    afterAll(async () => {
      trust(undefined);
      await nginx?.stop();
      await house?.close();
    }, 30_000);

    function expectOneOfEach({ headers }: Pick<HttpAnswer, 'headers'>): void {
      expect(headers).toMatchObject({
        'access-control-allow-origin': '*',
        'access-control-expose-headers': 'Content-Length, Date, Retry-After',
        'strict-transport-security': 'max-age=63072000',
        'x-content-type-options': 'nosniff',
        server: 'nginx',
      });
      expect(headers['access-control-allow-credentials']).toBeUndefined();
    }

    it('is heard by HTTP-FLV, with one of each header', async () => {
      const listener = await FlvListener.connect(nginx.flvUrl('hello'));
      await listener.until('two seconds of sound', () => listener.frames.length > 94);
      listener.leave();
      expect(listener.headerFlags).toBe(4);
      expect(listener.headers['content-encoding']).toBeUndefined();
      expectOneOfEach(listener);
    }, 30_000);

    it('is heard by HLS, with one of each header, also where SRS says its own to a page', async () => {
      const playlist = await eventually(
        'there is a segment',
        async () => {
          const answer = await httpRequest(nginx.hlsUrl('hello'), { headers: ORIGIN });
          return answer.status === 200 && answer.body.includes('#EXTINF') && answer;
        },
        { withinMs: 20_000, everyMs: 200 },
      );
      expectOneOfEach(playlist);
      const segment = /^[^#\s].*$/m.exec(playlist.body.toString())?.[0] ?? '';
      const answer = await httpRequest(new URL(segment, nginx.hlsUrl('hello')).href, { headers: ORIGIN });
      expect(answer.status).toBe(200);
      expect(answer.body[0]).toBe(0x47);
      expectOneOfEach(answer);
    }, 30_000);

    it('is asked for by OPTIONS without SRS', async () => {
      const answer = await httpRequest(nginx.flvUrl('hello'), { method: 'OPTIONS', headers: ORIGIN });
      expect(answer.status).toBe(204);
      expectOneOfEach(answer);
    });

    it.each(['/api/v1/clients', '/console/', '/rtc/v1/play/', '/live/../api/v1/vhosts'])(
      '%s is closed',
      async (where) => {
        expect((await httpRequest(`${nginx.url}${where}`)).status).toBe(404);
      },
    );
  });
});
