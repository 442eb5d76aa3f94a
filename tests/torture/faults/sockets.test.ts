import { once } from 'node:events';
import net from 'node:net';
import { findSystemProgram } from '../../helpers/system-program';
import { connectionsOf, cut } from './sockets';

const canCut =
  process.platform === 'linux' && process.getuid?.() === 0 && findSystemProgram('ss') !== undefined;
const itAsRoot = canCut ? it : it.skip;

describe('TCP connections of a process', () => {
  let server: net.Server;
  let client: net.Socket;
  let port: number;
  beforeEach(async () => {
    server = net.createServer((socket) => socket.on('error', () => undefined));
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    port = (server.address() as net.AddressInfo).port;
    client = net.connect(port, '127.0.0.1');
    await once(client, 'connect');
  });
  afterEach(async () => {
    client.destroy();
    const closed = once(server, 'close');
    server.close();
    await closed;
  });

  it('are found by the port that they lead to', () => {
    expect(connectionsOf(process.pid, port)).toEqual([{ localPort: client.localPort, remotePort: port }]);
    expect(connectionsOf(process.pid, 1)).toEqual([]);
  });

  itAsRoot('are cut in the kernel (needs root and ss)', async () => {
    const failed = once(client, 'error');
    await cut(process.pid, port);
    expect((await failed)[0]).toMatchObject({ code: 'ECONNABORTED' });
    await expect(cut(process.pid, port)).rejects.toThrow('not one connection');
  });
});
