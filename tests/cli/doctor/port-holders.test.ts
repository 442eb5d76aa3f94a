import net from 'node:net';
import path from 'node:path';
import { isLoopback, portHolders } from '../../../src/cli/doctor/port-holders';
import { freePort } from '../../helpers/free-port';

async function listening(address: string, check: (port: number) => void): Promise<void> {
  const server = net.createServer();
  await new Promise<void>((resolve) => server.listen(0, address, resolve));
  try {
    check((server.address() as net.AddressInfo).port);
  } finally {
    await new Promise((resolve) => server.close(resolve));
  }
}

describe('who holds a port', () => {
  it.each(['127.0.0.1', '0.0.0.0', '::1', '::'])('is known with its address %s and its program', (address) =>
    listening(address, (port) => {
      const [holder] = portHolders(port);
      expect(holder?.address).toBe(address);
      expect(holder?.program).toBe(`${path.basename(process.execPath)} (pid ${process.pid})`);
      expect(isLoopback(address)).toBe(address === '127.0.0.1' || address === '::1');
    }),
  );

  it('is nobody where nobody listens', async () => {
    expect(portHolders(await freePort())).toEqual([]);
  });
});
