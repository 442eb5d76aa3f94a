import { once } from 'node:events';
import net from 'node:net';
import { performance } from 'node:perf_hooks';
import { eventually } from '../../helpers/eventually';
import { TcpProxy } from './tcp-proxy';

/** What a socket has received, and whether the other side ended it. */
class Inbox {
  bytes = Buffer.alloc(0);
  pieces = 0;
  ended = false;
  error: NodeJS.ErrnoException | undefined;
  constructor(socket: net.Socket) {
    socket.on('data', (bytes: Buffer) => {
      this.bytes = Buffer.concat([this.bytes, bytes]);
      this.pieces += 1;
    });
    socket.on('end', () => (this.ended = true));
    socket.on('error', (error) => (this.error = error));
  }
}

describe('the TCP fault proxy', () => {
  let server: net.Server;
  let proxy: TcpProxy;
  let client: net.Socket;
  let atServer: net.Socket;
  let received: Inbox;
  let answered: Inbox;

  beforeEach(async () => {
    server = net.createServer({ allowHalfOpen: true });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    proxy = await TcpProxy.start((server.address() as net.AddressInfo).port);
    const accepted = once(server, 'connection');
    client = net.connect({ port: proxy.port, host: '127.0.0.1', allowHalfOpen: true });
    client.setNoDelay(true);
    answered = new Inbox(client);
    [atServer] = (await accepted) as [net.Socket];
    received = new Inbox(atServer);
  });
  afterEach(async () => {
    client.destroy();
    atServer.destroy();
    await proxy.close();
    const closed = once(server, 'close');
    server.close();
    await closed;
  });

  it('hands everything on, both ways, and the end', async () => {
    const bytes = Buffer.alloc(300_000, 'noise');
    client.end(bytes);
    await eventually('the end at the server', () => received.ended);
    expect(received.bytes.equals(bytes)).toBe(true);
    atServer.end('answer');
    await eventually('the end at the client', () => answered.ended);
    expect(answered.bytes.toString()).toBe('answer');
    expect(proxy.bytes).toEqual({ up: 300_000, down: 6 });
    await eventually('no connection is left', () => proxy.open === 0);
  });

  it('lets what is sent come later, in order', async () => {
    proxy.set({ up: { latencyMs: 40, jitterMs: 20 } });
    const sentMs = performance.now();
    for (let index = 0; index < 10; index += 1) client.write(String(index));
    await eventually('all', () => received.bytes.length === 10, { everyMs: 1 });
    expect(performance.now() - sentMs).toBeGreaterThan(39);
    expect(received.bytes.toString()).toBe('0123456789');
  });

  it('hands on no more than its rate, and makes the sender wait', async () => {
    proxy.set({ up: { bytesPerSecond: 100_000 } });
    const sentMs = performance.now();
    client.write(Buffer.alloc(10_000));
    await eventually('all', () => received.bytes.length === 10_000, { everyMs: 5 });
    expect(performance.now() - sentMs).toBeGreaterThan(85);
  });

  it('slices', async () => {
    proxy.set({ up: { sliceBytes: 3 } });
    client.write('0123456789');
    await eventually('all', () => received.bytes.length === 10);
    expect(received.bytes.toString()).toBe('0123456789');
  });

  it('swallows nothing in a black hole: what was sent meanwhile comes afterwards', async () => {
    proxy.set({ up: { blackHole: true } });
    client.write('before');
    atServer.write('the other way goes on');
    await eventually('the other way', () => answered.bytes.length === 21);
    expect(received.bytes.length).toBe(0);
    proxy.heal();
    await eventually('all', () => received.bytes.toString() === 'before');
  });

  it('resets', async () => {
    expect(proxy.reset()).toBe(1);
    await eventually('both are told', () => answered.error && received.error);
    expect(answered.error?.code).toBe('ECONNRESET');
  });

  it('closes one direction and leaves the other', async () => {
    proxy.halfClose('up');
    await eventually('the end at the server', () => received.ended);
    atServer.write('still here');
    await eventually('the other way', () => answered.bytes.toString() === 'still here');
    expect(answered.ended).toBe(false);
  });

  it('takes new connections with what is set', async () => {
    proxy.set({ down: { blackHole: true } });
    const other = net.connect(proxy.port, '127.0.0.1');
    const inbox = new Inbox(other);
    const [far] = (await once(server, 'connection')) as [net.Socket];
    far.write('unheard');
    proxy.set({});
    await eventually('after it is healed', () => inbox.bytes.toString() === 'unheard');
    other.destroy();
    far.destroy();
    expect(proxy.accepted).toBe(2);
  });
});
