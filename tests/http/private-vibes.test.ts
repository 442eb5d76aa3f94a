import WebSocket from 'ws';
import { HttpHouse } from '../helpers/http-house';
import { handmadeToken, SECRET } from '../helpers/tokens';

let http: HttpHouse;
afterEach(() => http.close());

const bearer = (text: string): Record<string, string> => ({ authorization: `Bearer ${text}` });
const codeIn = ({ status, json }: { status: number; json: Record<string, unknown> }): string =>
  status < 400 ? String(status) : `${status} ${String(json['code'])}`;

/** The ticket in the URLs that a join returns: the same in both. */
function ticketIn(json: Record<string, unknown>): string {
  const [flv, hls] = [json['streamingUrl'], json['hlsUrl']].map(
    (url) => /^http:\/\/media\.test:8080\/live\/v\.(?:flv|m3u8)\?token=([\w-]{32})$/.exec(String(url))?.[1],
  );
  expect(flv).toBeDefined();
  expect(hls).toBe(flv);
  return String(flv);
}

describe('a private vibe in open mode', () => {
  let ownerKey: string;
  beforeEach(async () => {
    http = await HttpHouse.open();
    const { status, json } = await http.ask('/stream/v/start', {
      json: { creator: 'ann', visibility: 'private' },
    });
    expect(status).toBe(201);
    expect(json['streamingUrl']).toBe('http://media.test:8080/live/v.flv');
    ownerKey = String(json['ownerKey']);
    await http.ask('/stream/open/start', { json: { creator: 'ann' } });
  });

  it.each([
    ['POST', '/stream/v/join'],
    ['POST', '/stream/v/leave'],
    ['GET', '/stream/v'],
    ['GET', '/vibestream/v'],
  ])('opens %s %s to who has its owner key', async (method, path) => {
    expect(codeIn(await http.ask(path, { method }))).toBe('401 unauthorized');
    expect(codeIn(await http.ask(path, { method, headers: bearer('guess') }))).toBe('403 wrong-owner-key');
    expect(codeIn(await http.ask(path, { method, headers: bearer(ownerKey) }))).toBe('200');
  });

  it('is joined by its owner for others, who play it by the ticket in the URLs', async () => {
    const join = () =>
      http.ask('/stream/v/join', { json: { participantId: 'p' }, headers: bearer(ownerKey) });
    const ticket = ticketIn((await join()).json);
    expect(ticketIn((await join()).json)).toBe(ticket);
    expect([...http.house.mediaServer.tickets]).toEqual([`v ${ticket}`]);
    await http.ask('/stream/v/leave', { json: { participantId: 'p' }, headers: bearer(ownerKey) });
    expect(http.house.mediaServer.tickets.size).toBe(0);
  });

  it('is in no list, and tells strangers nothing of what happens', async () => {
    const { json } = await http.ask('/streams/active');
    expect(json).toMatchObject({
      totalStreams: 1,
      activeStreams: [{ vibeId: 'open', visibility: 'public' }],
    });
    const { body } = await http.request('/api/v1/streams/');
    expect(body.toString()).toContain('"open"');
    expect(body.toString()).not.toContain('"v"');
    const socket = new WebSocket(`${http.url.replace('http', 'ws')}/stream/v/events`);
    expect(await new Promise((resolve) => socket.once('close', resolve))).toBe(4401);
    const owner = new WebSocket(`${http.url.replace('http', 'ws')}/stream/v/events?token=${ownerKey}`);
    const first = await new Promise<Buffer>((resolve) => owner.once('message', resolve));
    expect(JSON.parse(first.toString())).toMatchObject({ type: 'status', visibility: 'private' });
    owner.terminate();
  });

  it('shows a creator’s connection how far it is, if it has the key', async () => {
    const send = {
      method: 'POST',
      headers: { ...bearer(ownerKey), 'content-type': 'audio/pcm' },
      body: Buffer.alloc(3_840),
    };
    await http.request('/stream/v/audio?creator=ann&sequence=41', send);
    const ready = async (query: string): Promise<unknown> => {
      const socket = new WebSocket(`${http.url.replace('http', 'ws')}/stream/v/audio${query}`);
      const message = await new Promise<Buffer>((resolve) => socket.once('message', resolve));
      socket.terminate();
      const { state, sequence } = JSON.parse(message.toString()) as Record<string, unknown>;
      return [state, sequence];
    };
    expect(await ready('')).toEqual(['starting', 0]);
    expect(await ready(`?token=${ownerKey}`)).toEqual(['buffering', 41]);
  });

  it('is no other vibe’s concern: public ones are joined without a ticket', async () => {
    const { json } = await http.ask('/stream/open/join', { method: 'POST' });
    expect(json['streamingUrl']).toBe('http://media.test:8080/live/open.flv');
  });

  it.each([[7], ['secret'], ['Private']])('is not started with the visibility %j', async (visibility) => {
    expect(codeIn(await http.ask('/stream/x/start', { json: { visibility } }))).toBe('400 invalid-field');
  });
});

describe('a private vibe in token mode', () => {
  it('is joined with a participant’s token, and listed to admins', async () => {
    http = await HttpHouse.open({ authMode: 'token', authSecret: SECRET });
    const exp = Math.floor(http.house.clock.epochMs() / 1000) + 60;
    const token = (role: string): Record<string, string> => {
      const claims = { sub: role, aud: 'vibesflow', role, vibe: 'v', exp };
      return bearer(handmadeToken({ alg: 'HS256' }, claims, SECRET));
    };
    const { json } = await http.ask('/stream/v/start', {
      json: { visibility: 'private' },
      headers: token('creator'),
    });
    expect(json).not.toHaveProperty('ownerKey');
    expect(codeIn(await http.ask('/stream/v/join', { method: 'POST' }))).toBe('401 unauthorized');
    const joined = await http.ask('/stream/v/join', {
      json: { participantId: 'p' },
      headers: token('participant'),
    });
    expect([...http.house.mediaServer.tickets]).toEqual([`v ${ticketIn(joined.json)}`]);
    const list = await http.ask('/streams/active', { headers: token('admin') });
    expect(list.json).toMatchObject({ activeStreams: [{ vibeId: 'v', visibility: 'private' }] });
    http.house.clock.advance(61_000);
    expect(http.house.mediaServer.tickets.size).toBe(0);
  });
});
