import { SrsRtcApi } from '../../../src/media-server/srs/rtc-api';
import { FakeClock } from '../../helpers/fake-clock';
import { FakeSrsRtc, type RtcBehaviour } from '../../helpers/fake-srs-rtc';
import { freePort } from '../../helpers/free-port';
import { eventually } from '../../helpers/eventually';

const OFFER = { vhost: 'whip', stream: 'v-1', token: 'a-ticket', sdp: 'v=0\r\n' };

describe('SRS’s doors for WebRTC', () => {
  let srs: FakeSrsRtc;
  let clock: FakeClock;
  let api: SrsRtcApi;

  beforeEach(async () => {
    srs = await FakeSrsRtc.open();
    clock = new FakeClock();
    api = new SrsRtcApi({ baseUrl: srs.url, app: 'live', clock });
  });
  afterEach(async () => {
    await srs.close();
    expect(clock.pendingTimers).toBe(0);
  });

  it.each(['whip', 'whep'] as const)('get an offer at %s, with vhost, stream and ticket', async (door) => {
    const { sdp, location } = await api.offer({ door, ...OFFER });
    expect(sdp).toContain('m=audio');
    expect(location).toContain('token=of-srs');
    const { method, path, query, type, body } = srs.requests[0]!;
    expect([method, path, type, body]).toEqual(['POST', `/rtc/v1/${door}/`, 'application/sdp', 'v=0\r\n']);
    expect(Object.fromEntries(query)).toEqual({
      vhost: 'whip',
      app: 'live',
      stream: 'v-1',
      token: 'a-ticket',
    });
  });

  it('are told of the end of a session at SRS’s own path, and whatever comes of it', async () => {
    await api.end('/rtc/v1/whip/?action=delete&token=x');
    expect(srs.requests[0]).toMatchObject({ method: 'DELETE', path: '/rtc/v1/whip/' });
    await srs.close();
    await expect(api.end('/rtc/v1/whip/?action=delete')).resolves.toBeUndefined();
    srs = await FakeSrsRtc.open();
  });

  it('let receive without encryption who asks in JSON', async () => {
    await expect(api.receivePlain(OFFER)).resolves.toContain('a=ice-ufrag:abcd');
    const { path, query, body } = srs.requests[0]!;
    expect(path).toBe('/rtc/v1/play/');
    expect(Object.fromEntries(query)).toEqual({ encrypt: 'false', dtls: 'false' });
    expect(JSON.parse(body)).toMatchObject({
      streamurl: 'webrtc://127.0.0.1/live/v-1?vhost=whip&token=a-ticket',
      sdp: 'v=0\r\n',
    });
  });

  it.each<[RtcBehaviour, string, number]>([
    ['hangs-up', 'media-server-refused', 502],
    ['fails', 'media-server-refused', 502],
    ['floods', 'media-server-refused', 502],
    ['is-busy', 'media-server-busy', 409],
  ])('where SRS %s: %s', async (behaviour, code, status) => {
    srs.behaviour = behaviour;
    await expect(api.offer({ door: 'whip', ...OFFER })).rejects.toMatchObject({ code, status });
  });

  it.each<RtcBehaviour>(['hangs-up', 'fails', 'answers-nonsense'])(
    'where SRS %s, nobody receives',
    async (behaviour) => {
      srs.behaviour = behaviour;
      await expect(api.receivePlain(OFFER)).rejects.toMatchObject({ code: 'media-server-refused' });
    },
  );

  it('where SRS says nothing, it is waited for 5 s', async () => {
    srs.behaviour = 'is-silent';
    const refusal = expect(api.offer({ door: 'whip', ...OFFER })).rejects.toMatchObject({
      code: 'not-ready',
      status: 503,
      extra: { retryAfterSeconds: 2 },
    });
    await eventually('SRS was asked', () => srs.requests.length === 1);
    clock.advance(4_999);
    expect(clock.pendingTimers).toBe(1);
    clock.advance(1);
    await refusal;
  });

  it('where no SRS runs, it is said at once', async () => {
    const nobody = new SrsRtcApi({ baseUrl: `http://127.0.0.1:${await freePort()}`, app: 'live', clock });
    await expect(nobody.offer({ door: 'whep', ...OFFER })).rejects.toMatchObject({ code: 'not-ready' });
  });
});
