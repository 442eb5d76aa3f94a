import http, { type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { FlvListener, MAX_WAITING_BYTES } from '../../../src/media-server/embedded/flv-listener';
import { httpChunk } from '../../../src/media-server/embedded/tag-batch';

const PAYLOAD = Buffer.alloc(16 * 1024, 7);
const CHUNK = httpChunk(PAYLOAD);

describe('a listener on HTTP-FLV', () => {
  const server = http.createServer();
  let response: ServerResponse;
  let answer: IncomingMessage;

  function listenerOf(onCut: (reason: string) => void = () => undefined): FlvListener {
    return new FlvListener({ response, framing: 'chunked', originMs: 0, onCut });
  }

  beforeAll(async () => new Promise<void>((resolve) => server.listen(0, '127.0.0.1', () => resolve())));
  afterAll(async () => new Promise((resolve) => server.close(resolve)));
  beforeEach(async () => {
    const { port } = server.address() as AddressInfo;
    const asked = new Promise<void>((resolve) =>
      server.once('request', (_, given: ServerResponse) => {
        response = given;
        response.setHeader('Transfer-Encoding', 'chunked');
        response.flushHeaders();
        resolve();
      }),
    );
    const request = http.get({ port, host: '127.0.0.1', agent: false });
    request.on('error', () => undefined);
    answer = await new Promise((resolve) => request.once('response', resolve));
    answer.on('error', () => undefined);
    await asked;
  });

  it('that does not read is cut when too much waits for it, and never holds much more', async () => {
    const cuts: string[] = [];
    const listener = listenerOf((reason) => cuts.push(reason));
    let most = 0;
    while (cuts.length === 0) {
      listener.send(CHUNK);
      most = Math.max(most, response.writableLength);
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(cuts).toEqual(['slow']);
    expect(most).toBeGreaterThan(MAX_WAITING_BYTES);
    expect(most).toBeLessThan(MAX_WAITING_BYTES + 2 * CHUNK.length);
    expect(response.destroyed).toBe(true);
    listener.send(CHUNK);
    expect(cuts).toHaveLength(1);
    answer.destroy();
  });

  it('that reads is not behind, gets everything, and then a proper end', async () => {
    const listener = listenerOf();
    let heard = 0;
    answer.on('data', (bytes: Buffer) => (heard += bytes.length));
    const ended = new Promise((resolve) => answer.once('end', resolve));
    for (let sent = 0; sent < 640; sent += 1) {
      listener.send(CHUNK);
      await new Promise((resolve) => setImmediate(resolve));
      while (response.writableLength > MAX_WAITING_BYTES / 2)
        await new Promise((resolve) => setImmediate(resolve));
    }
    listener.end();
    await ended;
    expect(heard).toBe(640 * PAYLOAD.length);
    expect(answer.complete).toBe(true);
    expect(listener.isBehind).toBe(false);
  });

  it('is hung up on where it must be', async () => {
    const cut = new Promise((resolve) => answer.once('close', resolve));
    listenerOf().destroy();
    await cut;
    expect(answer.complete).toBe(false);
  });
});
