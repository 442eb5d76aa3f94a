import { once } from 'node:events';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { NetworkNamespace, whyNoNamespace } from './network-namespace';

const missing = whyNoNamespace();
const describeWithNamespaces = missing === undefined ? describe : describe.skip;

describeWithNamespaces(
  `a network namespace as a fault${missing === undefined ? '' : ` [SKIPPED: ${missing}]`}`,
  () => {
    let server: http.Server;
    let network: NetworkNamespace;
    beforeAll(async () => {
      server = http.createServer((_request, answer) => answer.end('heard'));
      server.listen(0, '0.0.0.0');
      await once(server, 'listening');
      network = await NetworkNamespace.create((server.address() as AddressInfo).port);
    });
    afterAll(async () => {
      await network?.dispose();
      server.closeAllConnections();
      server.close();
    });

    /** What a request from inside gets. */
    async function ask(withinMs: number): Promise<number | string> {
      return new Promise((resolve) => {
        const { socketPath } = network;
        const request = http.get({ socketPath, timeout: withinMs, agent: false }, (answer) => {
          answer.resume();
          resolve(answer.statusCode ?? 0);
        });
        request.on('timeout', () => request.destroy(new Error('nothing')));
        request.on('error', ({ message }) => resolve(message));
      });
    }

    it('reaches out through its socket', async () => {
      expect(await ask(5_000)).toBe(200);
    });

    it('is cut off when all packets are dropped, which the kernel counts, and is not when it is healed', async () => {
      await network.drop(100);
      expect(await ask(300)).toBe('nothing');
      expect(await network.dropped()).toBeGreaterThan(0);
      await network.heal();
      expect(await ask(5_000)).toBe(200);
    });

    it('takes a limit, and another', async () => {
      await network.limit(100_000);
      await network.limit(50_000);
      expect(await ask(5_000)).toBe(200);
      await network.heal();
    });
  },
);
