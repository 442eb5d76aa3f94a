import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { ask, json } from '../../../src/cli/doctor/ask';
import { freePort } from '../../helpers/free-port';

async function serving<T>(answer: http.RequestListener, use: (url: string) => Promise<T>): Promise<T> {
  const server = http.createServer(answer);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  try {
    return await use(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  } finally {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
}

describe('a question of the doctor', () => {
  it('gets status, headers and JSON, and follows no redirect', () =>
    serving(
      (_req, res) => void res.writeHead(301, { location: '/there' }).end('{"code":0}'),
      async (url) => {
        const answer = await ask(url);
        expect([answer.status, answer.headers.location, json(answer)]).toEqual([301, '/there', { code: 0 }]);
      },
    ));

  it('does not wait for the end of an answer that has none', () =>
    serving(
      (_req, res) => {
        const pour = (): void => void res.write(Buffer.alloc(40_000), () => !res.destroyed && pour());
        pour();
      },
      async (url) => expect((await ask(url)).body).toHaveLength(64 * 1024),
    ));

  it('is given up after a while', () =>
    serving(
      () => undefined,
      async (url) => expect(ask(url, { withinMs: 20 })).rejects.toThrow('no answer within 0.02 s'),
    ));

  it('fails with the system’s code where nobody listens', async () => {
    await expect(ask(`http://127.0.0.1:${await freePort()}`)).rejects.toMatchObject({ code: 'ECONNREFUSED' });
  });

  it('reads nothing out of what is no JSON object', () => {
    const answer = { status: 200, headers: {} };
    for (const text of ['', 'hey', '3', 'null'])
      expect(json({ ...answer, body: Buffer.from(text) })).toBeUndefined();
  });
});
