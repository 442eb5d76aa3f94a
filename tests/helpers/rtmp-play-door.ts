import net from 'node:net';
import { type AmfValue, decodeAmf0, encodeAmf0 } from '../../src/media-server/rtmp/amf0';
import { MESSAGE, rtmpChunks, RtmpChunkReader } from '../../src/media-server/rtmp/chunks';

const HANDSHAKE_BYTES = 1536;
const STREAM_ID = 1;

/** One player's connection, seen from the server. */
export class RtmpPlayConnection {
  /** What it asked to play, with the query; empty before it did. */
  stream = '';
  readonly commands: AmfValue[][] = [];
  readonly #socket: net.Socket;
  readonly #door: RtmpPlayDoor;
  readonly #chunks = new RtmpChunkReader(({ type, payload }) => {
    if (type === MESSAGE.commandAmf0) void this.#answer(decodeAmf0(payload));
    if (type === MESSAGE.userControl && payload[1] === 7) this.pongs.push(payload.readUInt32BE(2));
    if (type === MESSAGE.acknowledgement) this.acknowledgedBytes = payload.readUInt32BE(0);
  });
  readonly pongs: number[] = [];
  acknowledgedBytes = 0;
  #hello: Buffer | undefined = Buffer.alloc(0);
  #letIn: Promise<boolean> | undefined;

  constructor(socket: net.Socket, door: RtmpPlayDoor) {
    this.#socket = socket;
    this.#door = door;
    socket.setNoDelay(true);
    socket.on('error', () => undefined);
    socket.on('data', (bytes: Buffer) => this.#receive(bytes));
  }

  /** The commands of that name. */
  commandsNamed(name: string): AmfValue[][] {
    return this.commands.filter((command) => command[0] === name);
  }

  send(type: number, payload: Buffer, streamId = STREAM_ID): void {
    this.sendBytes(rtmpChunks({ chunkStream: 5, type, payload, streamId }));
  }

  sendBytes(bytes: Buffer): void {
    if (this.#socket.writable) this.#socket.write(bytes);
  }

  end(): void {
    this.#socket.destroy();
  }

  onClose(listener: () => void): void {
    this.#socket.on('close', listener);
  }

  #receive(bytes: Buffer): void {
    if (!this.#hello) return this.#chunks.push(bytes);
    const hello = (this.#hello = Buffer.concat([this.#hello, bytes]));
    if (hello.length === 1 + HANDSHAKE_BYTES)
      this.sendBytes(Buffer.concat([Buffer.from([3]), Buffer.alloc(HANDSHAKE_BYTES, 7), hello.subarray(1)]));
    if (hello.length < 1 + 2 * HANDSHAKE_BYTES) return;
    this.#hello = undefined;
    this.#chunks.push(hello.subarray(1 + 2 * HANDSHAKE_BYTES));
  }

  async #answer(command: AmfValue[]): Promise<void> {
    this.commands.push(command);
    const [, transaction, , argument] = command;
    const name = command[0] as string;
    const door = this.#door;
    const said = door.says[name];
    if (said) {
      this.send(MESSAGE.commandAmf0, encodeAmf0(...said), 0);
    } else if (name === 'connect') {
      this.#result(transaction, { code: 'NetConnection.Connect.Success' });
    } else if (name === 'createStream') {
      this.#result(transaction, STREAM_ID);
    } else if (name === 'play') {
      this.stream = argument as string;
      // As SRS does: first it says that it plays, then it asks whether it may.
      this.send(MESSAGE.commandAmf0, encodeAmf0('onStatus', 0, null, { code: 'NetStream.Play.Start' }));
      this.#letIn = Promise.resolve(door.onPlay(this));
      if (!(await this.#letIn)) this.end();
    } else if (await this.#letIn) {
      if (door.answersEchoes) this.#result(transaction, null);
    }
  }

  #result(transaction: AmfValue, value: AmfValue): void {
    this.send(MESSAGE.commandAmf0, encodeAmf0('_result', transaction, null, value), 0);
  }
}

/** What plays over RTMP as far as SRS does: it answers a player, and sends what a test says. */
export class RtmpPlayDoor {
  readonly connections: RtmpPlayConnection[] = [];
  /** Whether a player may stay. */
  onPlay: (connection: RtmpPlayConnection) => boolean | Promise<boolean> = () => true;
  /** Answers of the test's own, by command. */
  readonly says: Record<string, AmfValue[]> = {};
  answersEchoes = true;
  /** Connections are taken, and nothing is said. */
  hung = false;
  readonly #server = net.createServer((socket) => {
    if (this.hung) this.#hanging.push(socket.on('error', () => undefined));
    else this.connections.push(new RtmpPlayConnection(socket, this));
  });
  readonly #hanging: net.Socket[] = [];
  #port = 0;

  get port(): number {
    return this.#port;
  }

  /** The latest player's connection. */
  get latest(): RtmpPlayConnection | undefined {
    return this.connections.at(-1);
  }

  /** Listens; again on the same port after `close`. */
  async listen(): Promise<void> {
    await new Promise<void>((resolve) => this.#server.listen(this.#port, '127.0.0.1', resolve));
    this.#port = (this.#server.address() as net.AddressInfo).port;
  }

  async close(): Promise<void> {
    for (const connection of [...this.connections, ...this.#hanging])
      if (connection instanceof RtmpPlayConnection) connection.end();
      else connection.destroy();
    if (this.#server.listening) await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }
}
