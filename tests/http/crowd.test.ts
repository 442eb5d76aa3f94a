import { Agent } from 'node:http';
import { eventually } from '../helpers/eventually';
import { HttpHouse } from '../helpers/http-house';
import { RawConnection } from '../helpers/raw-http';

/** Half of them for connections that are served; two more are let in to be told. */
const OPEN_FILES = 16;
const SERVED = 8;

let http: HttpHouse;
let opened: RawConnection[];
beforeEach(async () => {
  opened = [];
  http = await HttpHouse.open({}, undefined, OPEN_FILES);
});
afterEach(async () => {
  for (const connection of opened) connection.destroy();
  await http.close();
});

async function connect(count: number): Promise<void> {
  for (let more = count; more > 0; more -= 1) opened.push(await RawConnection.open(http.port));
}

async function ask(connection: RawConnection, path = '/health', more = ''): Promise<string> {
  connection.send(`GET ${path} HTTP/1.1\r\nHost: x\r\n${more}\r\n`);
  return (await connection.until(/^[^]*}$/)).input;
}

describe('more connections than there are descriptors for', () => {
  it('are told so and closed, while those that were there before are served', async () => {
    await connect(SERVED + 1);
    const [first, last] = [opened[0]!, opened[SERVED]!];
    const refusal = await ask(last);
    expect(refusal).toContain('HTTP/1.1 503 ');
    expect(refusal).toMatch(/^Retry-After: 2\r$/m);
    expect(refusal).toContain('"code":"too-many-connections"');
    await last.closed;
    expect(await ask(first)).toContain('HTTP/1.1 200 ');
  });

  it('are told so where they ask for a WebSocket', async () => {
    await connect(SERVED + 1);
    const upgrade = 'Connection: upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n';
    const refusal = await ask(opened[SERVED]!, '/stream/v/audio', upgrade);
    expect(refusal).toContain('HTTP/1.1 503 ');
    expect(refusal).toContain('"code":"too-many-connections"');
  });

  it('are closed without a word where those who are to be told take descriptors, too', async () => {
    await connect(SERVED + 4);
    await Promise.all(opened.slice(SERVED + 2).map(({ closed }) => closed));
    expect(await http.house.metrics.registry.metrics()).toContain(
      'vibesflow_problems_total{code="too-many-connections"} 2',
    );
  });

  it('are let in again as soon as others have gone', async () => {
    await connect(SERVED + 2);
    for (const connection of opened.splice(0, 4)) connection.destroy();
    const agent = new Agent({ keepAlive: false });
    await eventually(
      'somebody new is served',
      async () => (await http.request('/health', { agent }).catch(() => undefined))?.status === 200,
    );
  });
});
