import WebSocket from 'ws';
import { eventually } from '../helpers/eventually';
import { HttpHouse } from '../helpers/http-house';

type Message = Record<string, unknown> & { type: string };

let http: HttpHouse;
let sockets: WebSocket[];
beforeEach(async () => {
  sockets = [];
  http = await HttpHouse.open();
});
afterEach(async () => {
  for (const socket of sockets) socket.terminate();
  await http.close();
});

function watch(vibeId = 'v') {
  const socket = new WebSocket(`${http.url.replace('http', 'ws')}/stream/${vibeId}/events`);
  sockets.push(socket);
  const messages: Message[] = [];
  socket.on('message', (data: Buffer) => messages.push(JSON.parse(data.toString()) as Message));
  const closed = new Promise<number>((resolve) => socket.once('close', resolve));
  const seen = (type: string) =>
    eventually(`a ${type} message`, () => messages.find((message) => message.type === type));
  return { socket, messages, closed, seen };
}

describe('the events of a vibe', () => {
  it('begin with its whole status, then come as they happen, until it is over', async () => {
    await http.ask('/stream/v/start', { json: { creator: 'ann', title: 'Dawn' } });
    const { messages, closed, seen } = watch();
    expect(await seen('status')).toMatchObject({
      vibeId: 'v',
      creator: 'ann',
      title: 'Dawn',
      state: 'starting',
      streamingUrl: 'http://media.test:8080/live/v.flv',
    });
    await http.ask('/stream/v/join', { json: { participantId: 'p' } });
    expect(await seen('counts')).toMatchObject({ participantCount: 1, listeners: 0 });
    await http.post('/stream/v/audio?creator=ann', Buffer.alloc(192_000, 1));
    http.house.clock.advance(900);
    expect(await seen('level')).toMatchObject({ signal: 'ok', peakDbfs: expect.any(Number) });
    await http.playedOut();
    expect(await closed).toBe(1000);
    expect(messages.filter(({ type }) => type === 'state').map(({ state }) => state)).toEqual([
      'buffering',
      'live',
      'ending',
      'ended',
    ]);
    expect(messages.at(-1)).toMatchObject({ type: 'state', state: 'ended', isStreaming: false });
  });

  it('of an unknown vibe are refused', async () => {
    const { closed, seen } = watch('nobody');
    expect(await seen('error')).toMatchObject({ problem: { code: 'vibe-not-found', status: 404 } });
    expect(await closed).toBe(4404);
  });

  it('of a vibe that is over are its status and a close', async () => {
    await http.post('/stream/v/audio', Buffer.alloc(4_000));
    await http.playedOut();
    const { closed, seen } = watch();
    expect(await seen('status')).toMatchObject({ state: 'ended' });
    expect(await closed).toBe(1000);
  });

  it('are not kept for a watcher that does not read', async () => {
    await http.ask('/stream/v/start', { json: { creator: 'ann' } });
    const { socket, seen } = watch();
    await seen('status');
    socket.pause();
    const before = http.house.clock.pendingTimers;
    const participants = http.vibe().participants;
    // Counts are never left out; a watcher that lets a megabyte of them pile up is cut off.
    for (let index = 0; http.house.clock.pendingTimers === before && index < 400; index += 1) {
      for (let join = 0; join < 500; join += 1) participants.join(`${index}-${join}`);
      await new Promise<void>((resolve) => setImmediate(resolve));
    }
    await eventually('cut off', () => http.house.clock.pendingTimers < before);
  });

  it('leave nothing behind when the watcher goes', async () => {
    await http.ask('/stream/v/start', { json: { creator: 'ann' } });
    const before = http.house.clock.pendingTimers;
    const { socket, seen } = watch();
    await seen('status');
    socket.terminate();
    await eventually('gone', () => http.house.clock.pendingTimers === before);
    http.vibe().participants.join('p');
  });
});
