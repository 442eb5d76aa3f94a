import { HttpHouse } from '../helpers/http-house';

let http: HttpHouse;
beforeEach(async () => {
  http = await HttpHouse.open();
  await http.ask('/stream/v/start', { json: { creator: 'ann' } });
});
afterEach(() => http.close());

const join = (json: unknown) => http.ask('/stream/v/join', { json });
const leave = (json: unknown) => http.ask('/stream/v/leave', { json });

describe('a participant', () => {
  it('takes a lease, and the same one again', async () => {
    for (let times = 0; times < 2; times += 1) {
      const { status, json } = await join({ participantId: 'p', walletAddress: '0xabc' });
      expect(status).toBe(200);
      expect(json).toEqual({
        success: true,
        vibeId: 'v',
        participantId: 'p',
        participantCount: 1,
        streamingUrl: 'http://media.test:8080/live/v.flv',
        hlsUrl: 'http://media.test:8080/live/v.m3u8',
        isStreaming: false,
        state: 'starting',
        leaseSeconds: 60,
        timestamp: http.house.clock.epochMs(),
      });
    }
  });

  it('is known by its wallet where it has no other id, else by one that is made up', async () => {
    expect((await join({ walletAddress: '0xabc', participantId: null })).json['participantId']).toBe('0xabc');
    const { json } = await http.ask('/stream/v/join', { method: 'POST' });
    expect(json['participantId']).toMatch(/^[0-9a-f-]{36}$/);
    expect(json['participantCount']).toBe(2);
    expect((await leave({ walletAddress: '0xabc' })).json['participantCount']).toBe(1);
  });

  it('leaves, more than once, also by a beacon, which sends text', async () => {
    await join({ participantId: 'p' });
    await join({ participantId: 'q' });
    const first = await http.ask('/stream/v/leave', {
      method: 'POST',
      body: '{"participantId":"p"}',
      headers: { 'content-type': 'text/plain;charset=UTF-8' },
    });
    expect([first.status, first.json]).toEqual([
      200,
      { success: true, vibeId: 'v', participantCount: 1, timestamp: http.house.clock.epochMs() },
    ]);
    expect((await leave({ participantId: 'p' })).json['participantCount']).toBe(1);
    expect((await http.ask('/stream/v/leave', { method: 'POST' })).json['participantCount']).toBe(1);
    expect((await http.ask('/stream/gone/leave', { json: { participantId: 'p' } })).status).toBe(200);
  });

  it('is counted in leases, apart from players', async () => {
    http.house.mediaServer.setPlayers('v', 5);
    await join({ participantId: 'p' });
    expect((await http.ask('/stream/v')).json).toMatchObject({ participantCount: 1, listeners: 5 });
  });

  it('loses its lease when it does not renew it', async () => {
    await http.close();
    http = await HttpHouse.open({ holdSeconds: 3_600 });
    await http.ask('/stream/v/start', { json: { creator: 'ann' } });
    await join({ participantId: 'p' });
    await join({ participantId: 'q' });
    http.house.clock.advance(40_000);
    await join({ participantId: 'q' });
    http.house.clock.advance(19_000);
    expect(http.vibe().participants.count).toBe(2);
    http.house.clock.advance(2_000);
    expect(http.vibe().participants.count).toBe(1);
  });

  it.each([
    ['join', { participantId: 7 }, 400, 'invalid-field'],
    ['join', { participantId: 'x'.repeat(257) }, 400, 'invalid-field'],
    ['leave', { walletAddress: 'a\nb' }, 400, 'invalid-field'],
    ['leave', [], 400, 'invalid-field'],
  ])('cannot %s with %j', async (door, json, status, code) => {
    const answer = await http.ask(`/stream/v/${door}`, { json });
    expect([answer.status, answer.json['code']]).toEqual([status, code]);
  });

  it('cannot join what is not there or over', async () => {
    expect((await http.ask('/stream/w/join', { json: {} })).json['code']).toBe('vibe-not-found');
    await http.playedOut();
    expect((await join({})).json['code']).toBe('vibe-not-found');
  });

  it('cannot join with text: only beacons say goodbye so', async () => {
    const headers = { 'content-type': 'text/plain' };
    expect((await http.ask('/stream/v/join', { method: 'POST', body: '{}', headers })).status).toBe(415);
  });
});
