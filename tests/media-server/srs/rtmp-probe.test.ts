import net from 'node:net';
import { systemClock } from '../../../src/base/clock';
import { type AmfValue, decodeAmf0, encodeAmf0 } from '../../../src/media-server/rtmp/amf0';
import { MESSAGE, rtmpChunks, RtmpChunkReader } from '../../../src/media-server/rtmp/chunks';
import { RtmpProbe } from '../../../src/media-server/srs/rtmp-probe';
import { eventually } from '../../helpers/eventually';

const HANDSHAKE_BYTES = 1536;
const AAC_HEADER = Buffer.from([0xaf, 0, 0x11, 0x90]);
const AAC_FRAME = Buffer.from([0xaf, 1, 0x21, 0x10]);

/** What a server's side of a player's connection needs: it lets everybody play, and sends what a test says. */
class PlayServer {
  readonly commands: AmfValue[][] = [];
  readonly pongs: number[] = [];
  readonly #server = net.createServer((socket) => this.#serve(socket));
  readonly #sockets: net.Socket[] = [];
  refuses = false;

  async listen(port = 0): Promise<number> {
    await new Promise<void>((resolve) => this.#server.listen(port, '127.0.0.1', resolve));
    return (this.#server.address() as net.AddressInfo).port;
  }

  get connections(): number {
    return this.#sockets.length;
  }

  commandsNamed(name: string): AmfValue[][] {
    return this.commands.filter((command) => command[0] === name);
  }

  send(type: number, payload: Buffer, streamId = 1): void {
    this.#sockets.at(-1)?.write(rtmpChunks({ chunkStream: 5, type, payload, streamId }));
  }

  sendBytes(bytes: Buffer): void {
    this.#sockets.at(-1)?.write(bytes);
  }

  cut(): void {
    this.#sockets.at(-1)?.destroy();
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    if (this.#server.listening) await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }

  #serve(socket: net.Socket): void {
    this.#sockets.push(socket);
    socket.on('error', () => undefined);
    let hello: Buffer | undefined = Buffer.alloc(0);
    const chunks = new RtmpChunkReader(({ type, payload }) => {
      if (type === MESSAGE.userControl && payload.readUInt16BE(0) === 7)
        this.pongs.push(payload.readUInt32BE(2));
      if (type === MESSAGE.commandAmf0) this.#answer(decodeAmf0(payload));
    });
    socket.on('data', (bytes: Buffer) => {
      if (!hello) return chunks.push(bytes);
      hello = Buffer.concat([hello, bytes]);
      if (hello.length === 1 + HANDSHAKE_BYTES)
        socket.write(Buffer.concat([Buffer.from([3]), Buffer.alloc(HANDSHAKE_BYTES), hello.subarray(1)]));
      if (hello.length < 1 + 2 * HANDSHAKE_BYTES) return;
      const rest = hello.subarray(1 + 2 * HANDSHAKE_BYTES);
      hello = undefined;
      if (rest.length > 0) chunks.push(rest);
    });
  }

  #answer(command: AmfValue[]): void {
    this.commands.push(command);
    const [name, transaction] = command;
    if (this.refuses) this.send(MESSAGE.commandAmf0, encodeAmf0('_error', transaction, null, null), 0);
    else if (name === 'connect')
      this.send(MESSAGE.commandAmf0, encodeAmf0('_result', transaction, null, { code: 'ok' }), 0);
    else if (name === 'createStream')
      this.send(MESSAGE.commandAmf0, encodeAmf0('_result', transaction, null, 1), 0);
    else if (name === 'play')
      this.send(MESSAGE.commandAmf0, encodeAmf0('onStatus', 0, null, { code: 'NetStream.Play.Start' }));
  }
}

describe('a probe that plays over RTMP', () => {
  let server: PlayServer;
  let port: number;
  let probe: RtmpProbe | undefined;
  let heard: number;

  beforeEach(async () => {
    server = new PlayServer();
    port = await server.listen();
    heard = 0;
  });
  afterEach(async () => {
    probe?.close();
    await server.close();
  });

  function listen(): RtmpProbe {
    probe = new RtmpProbe({
      rtmpUrl: `rtmp://127.0.0.1:${port}/live`,
      stream: 'id',
      query: 'relay=nonce',
      clock: systemClock,
      onAudio: () => (heard += 1),
    });
    return probe;
  }

  it('plays the stream of its name, in the app of its URL, with its query', async () => {
    const listening = listen();
    expect(listening.connected).toBe(false);
    await eventually('it plays', () => listening.connected);
    expect(server.commandsNamed('connect')[0]?.[2]).toMatchObject({
      app: 'live',
      tcUrl: `rtmp://127.0.0.1:${port}/live`,
    });
    expect(server.commandsNamed('play')[0]?.[3]).toBe('id?relay=nonce');
    expect(heard).toBe(0);
  });

  it('tells of the first sound, once, and is over then', async () => {
    const listening = listen();
    await eventually('it plays', () => listening.connected);
    server.send(MESSAGE.audio, AAC_FRAME);
    server.send(MESSAGE.audio, AAC_FRAME);
    await eventually('it is heard', () => heard > 0);
    await eventually('it hung up', () => !listening.connected);
    expect({ heard, connections: server.connections }).toEqual({ heard: 1, connections: 1 });
  });

  it('takes the AAC header of an earlier publish for no sound', async () => {
    const listening = listen();
    await eventually('it plays', () => listening.connected);
    server.send(MESSAGE.audio, AAC_HEADER);
    server.send(MESSAGE.userControl, Buffer.from([0, 6, 0, 0, 0, 9]), 0);
    // The answer to the ping says that what came before it was read.
    await eventually('it answers the ping', () => server.pongs.length > 0);
    expect({ heard, pongs: server.pongs, connected: listening.connected }).toEqual({
      heard: 0,
      pongs: [9],
      connected: true,
    });
  });

  it.each([
    ['is cut off', (it: PlayServer) => it.cut()],
    ['gets what is no RTMP', (it: PlayServer) => it.sendBytes(Buffer.alloc(64, 0xff))],
  ])('comes back where it %s', async (_how, spoil) => {
    const listening = listen();
    await eventually('it plays', () => listening.connected);
    spoil(server);
    await eventually('it plays again', () => listening.connected && server.connections === 2);
    server.send(MESSAGE.audio, AAC_FRAME);
    await eventually('it is heard', () => heard === 1);
  });

  it('comes back at once where it is told to, and is refused until it may', async () => {
    server.refuses = true;
    const listening = listen();
    await eventually('it was refused', () => server.connections === 2);
    server.refuses = false;
    await eventually('it plays', () => {
      listening.retryNow();
      return listening.connected;
    });
  });

  it('waits for a server that is not there yet', async () => {
    await server.close();
    const listening = listen();
    server = new PlayServer();
    await server.listen(port);
    await eventually('it plays', () => listening.connected);
  });

  it('stays away once it is closed, however often that is', async () => {
    const listening = listen();
    await eventually('it plays', () => listening.connected);
    listening.close();
    listening.close();
    listening.retryNow();
    await eventually('it hung up', () => !listening.connected);
    expect({ connections: server.connections, heard }).toEqual({ connections: 1, heard: 0 });
  });
});
