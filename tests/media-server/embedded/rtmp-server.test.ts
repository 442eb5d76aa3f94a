import net from 'node:net';
import { RtmpServer } from '../../../src/media-server/embedded/rtmp-server';
import { ChannelHouse } from '../../helpers/channel-house';
import { freePort } from '../../helpers/free-port';

async function connect(port: number, host: string): Promise<net.Socket> {
  return new Promise((resolve, reject) => {
    const socket = net.connect(port, host, () => resolve(socket));
    socket.on('error', reject);
  });
}

describe('the RTMP port', () => {
  it('is on loopback only, and says so when it cannot be had', async () => {
    const house = new ChannelHouse();
    const [first, second] = [0, 1].map(() => new RtmpServer(house.channels, house.clock, () => undefined));
    const port = await freePort();
    await first?.listen(port);
    // All of 127/8 is this machine, but only 127.0.0.1 is listened on.
    await expect(connect(port, '127.0.0.2')).rejects.toMatchObject({ code: 'ECONNREFUSED' });
    await expect(second?.listen(port)).rejects.toMatchObject({ code: 'EADDRINUSE' });
    await first?.close();
  });

  it('ends every connection when it closes, and is free then', async () => {
    const house = new ChannelHouse();
    const server = new RtmpServer(house.channels, house.clock, () => undefined);
    const port = await freePort();
    await server.listen(port);
    const socket = await connect(port, '127.0.0.1');
    const closed = new Promise((resolve) => socket.once('close', resolve));
    // Its first answer says that the connection was taken in.
    const answered = new Promise((resolve) => socket.once('data', resolve));
    socket.write(Buffer.concat([Buffer.from([3]), Buffer.alloc(1536)]));
    await answered;
    await server.close();
    socket.resume();
    await closed;
    await expect(connect(port, '127.0.0.1')).rejects.toMatchObject({ code: 'ECONNREFUSED' });
    expect(house.clock.pendingTimers).toBe(0);
  });
});
