import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { WebSocketServer } from 'ws';
import { DOORS, shortPosts } from './creators';
import { music } from './music';

interface JsonChunk {
  audioData?: string;
  serverContent?: { audioChunks: { data: string }[] };
}

/** The samples in a body, whatever its wrapping. */
function samplesOf(contentType: string, body: Buffer): Buffer {
  if (contentType.startsWith('audio/wav')) return body.subarray(44);
  if (contentType !== 'application/json') return body;
  const { audioData, serverContent } = JSON.parse(body.toString()) as JsonChunk;
  return Buffer.from(audioData ?? serverContent?.audioChunks[0]?.data ?? '', 'base64');
}

describe('the creators of the end-to-end tests', () => {
  let server: http.Server;
  let sockets: WebSocketServer;
  let apiUrl: string;
  const received: Buffer[] = [];
  let status = 202;

  beforeAll(async () => {
    server = http.createServer((request, answer) => {
      const parts: Buffer[] = [];
      request.on('data', (bytes: Buffer) => parts.push(bytes));
      request.on('end', () => {
        received.push(samplesOf(request.headers['content-type'] ?? '', Buffer.concat(parts)));
        answer.writeHead(status).end('{}');
      });
    });
    sockets = new WebSocketServer({ server });
    sockets.on('connection', (socket) => {
      socket.send(JSON.stringify({ type: 'ready' }));
      socket.on('message', (data: Buffer, isBinary) => {
        if (isBinary) received.push(data);
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    apiUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  afterAll(async () => {
    sockets.close();
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  beforeEach(() => {
    received.length = 0;
    status = 202;
  });

  it.each(DOORS)('send every byte once and in order: $name', async ({ send, chunkMs }) => {
    const pcm = music(4.1, 3);
    const sends = await send({ apiUrl, vibeId: 'any' }, pcm, { chunkMs, leadMs: Infinity });
    expect(Buffer.concat(received).equals(pcm)).toBe(true);
    expect(sends.reduce((sum, { samples }) => sum + samples, 0)).toBe(pcm.length / 4);
  });

  it('fail where a chunk is refused', async () => {
    status = 429;
    const send = shortPosts((body) => ({ headers: {}, body }));
    await expect(send({ apiUrl, vibeId: 'any' }, music(0.1), {})).rejects.toThrow('chunk 0: 429');
  });
});
