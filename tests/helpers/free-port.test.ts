import { once } from 'node:events';
import net from 'node:net';
import { freePort, freePorts, isFree, takesConnections } from './free-port';
import { runProgram } from './run-program';

describe('free ports', () => {
  it('are different, and free to listen on', async () => {
    const ports = await freePorts(50);
    expect(new Set(ports).size).toBe(50);
    for (const port of ports) expect(await isFree(port)).toBe(true);
  });

  it('are none that somebody listens on', async () => {
    const server = net.createServer().listen(await freePort(), '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as net.AddressInfo;
    expect([await isFree(port), await takesConnections(port)]).toEqual([false, true]);
    await new Promise((resolve) => server.close(resolve));
    expect([await isFree(port), await takesConnections(port)]).toEqual([true, false]);
  });

  const onLinux = process.platform === 'linux' ? it : it.skip;
  onLinux('are given to one test process only, for as long as it lives', async () => {
    const port = await freePort();
    const claimed = `require('node:net').createServer().on('error', () => process.exit(3)).listen({ path: ${JSON.stringify(`\0vibesflow-test-port-${port}`)} }, () => process.exit(0))`;
    expect((await runProgram(process.execPath, ['-e', claimed])).exitCode).toBe(3);
  });
});
