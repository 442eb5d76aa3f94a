import net from 'node:net';
import { AskedProcess } from '../../bench/lib/asked-process';
import type { IngestCount, IngestQuestion } from '../../bench/load/ingest';
import { INGEST_DOORS } from '../../bench/load/ingest-feed';
import { eventually } from '../helpers/eventually';

const VIBES = ['a', 'b'];

type Load = AskedProcess<IngestQuestion, IngestCount>;

let load: Load;
let sink: AskedProcess<object, { port: number }>;
let port: number;
beforeAll(async () => {
  load = AskedProcess.start('load/ingest');
  sink = AskedProcess.start('load/ingest-sink');
  port = (await sink.ask({})).port;
});
afterAll(() => Promise.all([load.stop(), sink.stop()]));

describe('the load of the benchmark of ingest', () => {
  it.each(INGEST_DOORS)('sends each creator’s chunks by %s, and the sink takes them', async (door) => {
    await load.ask({ what: 'open', door, port, vibeIds: VIBES, chunkMs: 20 });
    await load.ask({ what: 'burst', chunks: 30 });
    expect((await load.ask({ what: 'count' })).sent).toBe(60);
    await load.ask({ what: 'pace' });
    await eventually('more', async () => (await load.ask({ what: 'count' })).sent > 70);
    await load.ask({ what: 'close' });
  });

  it('does not take a refusal for a receipt', async () => {
    const server = net.createServer((socket) => {
      socket.on('error', () => undefined);
      socket.on('data', () => socket.end('HTTP/1.1 429 Too Many Requests\r\n\r\n'));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port: refusing } = server.address() as net.AddressInfo;
    await load.ask({ what: 'open', door: 'post', port: refusing, vibeIds: ['a'], chunkMs: 20 });
    await expect(load.ask({ what: 'burst', chunks: 2 })).rejects.toThrow('429');
    await expect(load.ask({ what: 'close' })).rejects.toThrow('429');
    await new Promise<void>((resolve) => server.close(() => resolve()));
  });
});

describe('a process that is asked', () => {
  it('says that it has ended, and does not keep who asks', async () => {
    const other: Load = AskedProcess.start('load/ingest');
    await other.ask({ what: 'count' });
    const asking = other.ask({ what: 'open', door: 'websocket', port: 1, vibeIds: ['a'], chunkMs: 20 });
    await expect(asking).rejects.toThrow('ECONNREFUSED');
    await other.stop();
    await other.stop();
    await expect(other.ask({ what: 'count' })).rejects.toThrow();
  });
});
