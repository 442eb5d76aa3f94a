import net from 'node:net';
import { rtmpPlay } from '../../bench/load/rtmp-play';
import { MESSAGE } from '../../src/media-server/rtmp/chunks';
import { RtmpPlayDoor } from '../helpers/rtmp-play-door';

describe('an RTMP player of the benchmarks', () => {
  const door = new RtmpPlayDoor();
  const sockets: net.Socket[] = [];

  beforeAll(async () => door.listen());
  afterAll(async () => {
    for (const socket of sockets) socket.destroy();
    await door.close();
  });

  /** Resolves with how it came out. */
  async function play(): Promise<string> {
    const hello = rtmpPlay({ kind: 'rtmp', port: door.port, path: 'live/crowded' });
    const socket = net.connect(door.port, '127.0.0.1');
    sockets.push(socket);
    socket.write(hello.begin);
    return new Promise((resolve) =>
      socket.on('data', (bytes: Buffer) => {
        const reply = hello.answer(bytes);
        if (typeof reply === 'string') resolve(reply);
        else if (reply) socket.write(reply);
      }),
    );
  }

  it('plays as soon as it hears something', async () => {
    door.onPlay = (connection) => {
      connection.send(MESSAGE.audio, Buffer.from('af01214f00', 'hex'));
      return true;
    };
    await expect(play()).resolves.toBe('playing');
    expect(door.latest?.stream).toBe('crowded');
    expect(door.latest?.commandsNamed('connect')[0]?.[2]).toMatchObject({ app: 'live' });
  });

  it('knows when it is refused', async () => {
    door.says['connect'] = ['_error', 1, null, { code: 'NetConnection.Connect.Rejected' }];
    await expect(play()).resolves.toBe('refused');
  });
});
