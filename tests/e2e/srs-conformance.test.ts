import { performance } from 'node:perf_hooks';
import { eventually } from '../helpers/eventually';
import { httpRequest } from '../helpers/http-request';
import { describeSrs } from '../helpers/srs';
import { SrsHouse } from '../helpers/srs-house';

/** AAC-LC (2), 48 kHz (index 3), two channels: the two bytes in front of every stream of ours. */
const AAC_LC_48K_STEREO = '1190';
/** SRS answers what it refuses by closing the connection. */
const REFUSED = /hang up|ECONNRESET/;

describeSrs('HTTP-FLV of a real SRS', () => {
  let house: SrsHouse;
  beforeAll(async () => {
    house = await SrsHouse.open();
  }, 30_000);
  afterAll(async () => house?.close(), 30_000);

  it('says audio and nothing else, to who came before the publisher and to who came after', async () => {
    const waiting = house.listen('flags', 15_000);
    await eventually(
      'SRS has asked about who waits',
      () => house.hooks.callsOf('on_play', 'flags').length > 0,
    );
    await house.publish('flags');
    const late = await house.hear('flags');
    const early = await waiting;
    await early?.until('sound', () => early.frames.length > 2);
    expect([early?.headerFlags, late.headerFlags]).toEqual([4, 4]);
    expect([...(early?.otherTags ?? []), ...late.otherTags].filter((type) => type === 9)).toEqual([]);
  }, 30_000);

  it('gives who comes late the AAC header, once', async () => {
    await house.onAir('late');
    await house.hear('late');
    const late = await house.hear('late');
    // Behind the two bytes that say "AAC" and "header", and before what some FFmpegs add.
    expect(late.configs.map((config) => config.subarray(2, 4).toString('hex'))).toEqual([AAC_LC_48K_STEREO]);
  }, 30_000);

  it('sends nothing at all, not even a status, while nobody publishes', async () => {
    expect(await house.listen('nobody', 1_000)).toBeUndefined();
  }, 30_000);

  it('cuts its listeners when the publisher is gone, at once, without the end of the answer', async () => {
    const publisher = await house.onAir('cut');
    const listeners = await Promise.all([house.hear('cut'), house.hear('cut')]);
    const killedMs = performance.now();
    await publisher.stop('SIGKILL');
    expect(await Promise.all(listeners.map((listener) => listener.end(5_000)))).toEqual(['cut', 'cut']);
    const cutAfterMs = performance.now() - killedMs;
    console.info(`cut ${cutAfterMs.toFixed(0)} ms after the kill`);
    expect(cutAfterMs).toBeLessThan(1_000);
  }, 30_000);

  it('goes on when it was stopped (SIGSTOP) for less than its timeouts; meanwhile the API does not answer', async () => {
    await house.onAir('frozen');
    const listener = await house.hear('frozen');
    house.srs.signal('SIGSTOP');
    const asked = httpRequest(`${house.srs.apiUrl}/api/v1/versions`, { withinMs: 1_000 });
    await expect(asked).rejects.toThrow('no answer');
    house.srs.signal('SIGCONT');
    const heard = listener.frames.length;
    // More than the second of its absence: what was published meanwhile is not lost.
    await listener.until('sound', () => listener.frames.length > heard + 60, 10_000);
    expect(listener.isConnected).toBe(true);
  }, 30_000);
});

describeSrs('the names and the API of a real SRS', () => {
  let house: SrsHouse;
  beforeAll(async () => {
    house = await SrsHouse.open();
  }, 30_000);
  afterAll(async () => house?.close(), 30_000);

  it('lists ten streams where it is not given a count, and all where it is', async () => {
    const names = Array.from({ length: 12 }, (_, index) => `listed-${index}`);
    for (const name of names) await house.publish(name);
    expect(await house.srs.streams('')).toHaveLength(10);
    const urls = (await house.srs.streams()).map(({ url }) => url);
    expect(urls).toEqual(expect.arrayContaining(names.map((name) => `/live/${name}`)));
  }, 60_000);

  it('drops what follows the last dot of a name in its API: two such names could not be told apart', async () => {
    house.publisher('dotted.one');
    await eventually('it is listed', () => house.srs.stream('dotted'));
    expect(await house.srs.stream('dotted.one')).toBeUndefined();
  }, 30_000);

  it('refuses a second publisher of a name, and the first one goes on', async () => {
    await house.onAir('twice');
    const listener = await house.hear('twice');
    expect((await house.publisher('twice').ended).exitCode).not.toBe(0);
    await eventually('SRS says that it is busy', () => house.srs.errors(1028) === 1);
    const heard = listener.frames.length;
    await listener.until('sound', () => listener.frames.length > heard + 20);
  }, 30_000);

  it('keeps a name that was offered by WHIP busy for seconds, though the hook said no: ask nobody else first', async () => {
    const url = `${house.srs.apiUrl}/rtc/v1/whip/?app=live&stream=offered&vhost=whip`;
    const headers = { 'content-type': 'application/sdp' };
    const offer = () => httpRequest(url, { method: 'POST', headers, body: OFFER });
    house.hooks.answer = () => ({ body: '{"code":1}' });
    await expect(offer()).rejects.toThrow(REFUSED);
    house.hooks.answer = () => ({});
    await expect(offer()).rejects.toThrow(REFUSED);
    await eventually('SRS says that it is busy', () => house.srs.errors(5020) === 1);
    const refusedMs = performance.now();
    const answer = await eventually('an answer', offer, { withinMs: 40_000, everyMs: 500 });
    console.info(`the name was free after ${((performance.now() - refusedMs) / 1_000).toFixed(1)} s`);
    expect(answer.status).toBe(201);
    expect(answer.headers['location']).toContain('/rtc/v1/whip/?action=delete&');
  }, 60_000);
});

/** What a browser offers that sends one Opus track; nobody is behind it. */
const OFFER = [
  'v=0',
  'o=- 1 1 IN IP4 127.0.0.1',
  's=-',
  't=0 0',
  'a=group:BUNDLE 0',
  'm=audio 9 UDP/TLS/RTP/SAVPF 111',
  'c=IN IP4 0.0.0.0',
  'a=ice-ufrag:Yf8x',
  'a=ice-pwd:01234567890123456789abcd',
  `a=fingerprint:sha-256 ${Array.from({ length: 32 }, () => 'AB').join(':')}`,
  'a=setup:actpass',
  'a=mid:0',
  'a=sendonly',
  'a=rtcp-mux',
  'a=rtpmap:111 opus/48000/2',
  'a=ssrc:1001 cname:offer',
  '',
].join('\r\n');
