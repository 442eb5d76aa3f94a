import { HttpHouse } from '../helpers/http-house';
import { RawConnection } from '../helpers/raw-http';

let http: HttpHouse;
let connection: RawConnection;
beforeEach(async () => {
  http = await HttpHouse.open();
  connection = await RawConnection.open(http.port);
});
afterEach(async () => {
  connection.destroy();
  await http.close();
});

const WISH = 'Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n';

describe('a client that would rather speak HTTP/2', () => {
  it('is answered in HTTP/1.1, and goes on with it', async () => {
    connection.send(`GET /health HTTP/1.1\r\nHost: x\r\n${WISH}\r\n`);
    await connection.until(/^HTTP\/1\.1 200 [^]*"status":"ok"[^]*\}$/);
    connection.send('GET /ready HTTP/1.1\r\nHost: x\r\n\r\n');
    await connection.until(/"status":"ready"/);
  });

  it.each([
    ['at once', (head: string, body: Buffer) => [Buffer.concat([Buffer.from(head), body])]],
    ['after its head', (head: string, body: Buffer) => [Buffer.from(head), body]],
    [
      'in two parts',
      (head: string, body: Buffer) => [
        Buffer.concat([Buffer.from(head), body.subarray(0, 999)]),
        body.subarray(999),
      ],
    ],
  ])('has its body read that comes %s', async (_when, parts) => {
    const audio = Buffer.from(Array.from({ length: 192_000 }, (_, index) => (index * 7) & 0xff));
    const head = `POST /stream/v/audio HTTP/1.1\r\nHost: x\r\nContent-Length: ${audio.length}\r\n${WISH}\r\n`;
    for (const part of parts(head, audio)) {
      connection.send(part);
      await new Promise<void>((resolve) => setImmediate(resolve));
    }
    await connection.until(/^HTTP\/1\.1 202 [^]*"accepted":192000/);
    expect((await http.playedOut()).subarray(0, audio.length).equals(audio)).toBe(true);
  });

  it('is told where only a WebSocket will do', async () => {
    connection.send(`GET /stream/v/audio HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n`);
    await connection.until(/^HTTP\/1\.1 426 [^]*"code":"upgrade-required"/);
  });
});
