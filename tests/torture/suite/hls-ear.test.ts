import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { TsMuxer } from '../../../src/media-server/embedded/mpeg-ts';
import { joinAdts } from '../../helpers/adts';
import { eventually } from '../../helpers/eventually';
import { HlsEar } from './hls-ear';

const SOON = { withinMs: 5_000, everyMs: 2 };
const frame = (number: number): Buffer => Buffer.alloc(40, number);

describe('an ear that follows HLS', () => {
  const files = new Map<string, Buffer | string>();
  let server: http.Server;
  let ear: HlsEar;
  beforeEach(async () => {
    files.clear();
    server = http.createServer((request, answer) => {
      const file = files.get(request.url ?? '');
      answer.writeHead(file === undefined ? 404 : 200).end(file);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    ear = new HlsEar(`http://127.0.0.1:${port}/vibe.m3u8`, { lookMs: 2 });
  });
  afterEach(async () => {
    await ear.leave();
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });

  const put = (number: number): void => {
    const muxer = new TsMuxer();
    const frames = joinAdts([frame(2 * number), frame(2 * number + 1)]);
    files.set(`/${number}.ts`, Buffer.concat([muxer.tables(), muxer.pes(frames, 0)]));
  };
  const show = (first: number, last: number, end = ''): void => {
    const numbers = Array.from({ length: last - first + 1 }, (_, at) => first + at);
    const lines = numbers.map((number) => `#EXTINF:2,\n${number}.ts`);
    files.set('/vibe.m3u8', `#EXTM3U\n#EXT-X-MEDIA-SEQUENCE:${first}\n${lines.join('\n')}\n${end}`);
  };
  const heard = (): number[] => ear.frames.map(({ aac }) => aac[0] as number);

  it('hears each segment once, in order, and sees the end', async () => {
    [1, 2, 3].forEach(put);
    show(1, 2);
    await eventually('two segments', () => heard().length === 4, SOON);
    expect(ear.isConnected).toBe(true);
    show(2, 3, '#EXT-X-ENDLIST\n');
    await eventually('the end', () => !ear.isConnected, SOON);
    expect(heard()).toEqual([2, 3, 4, 5, 6, 7]);
    expect(ear.frames[0]?.aac).toEqual(frame(2));
    expect(ear.timestampFault).toBeUndefined();
  });

  it('asks again for what it could not get, and takes nothing before that', async () => {
    put(2);
    show(1, 2);
    let asked = 0;
    server.on('request', ({ url }) => (asked += url === '/1.ts' ? 1 : 0));
    await eventually('it has asked twice', () => asked > 1, SOON);
    expect(heard()).toEqual([]);
    put(1);
    await ear.hears(4);
    expect(heard()).toEqual([2, 3, 4, 5]);
  });

  it('says where the playlist goes back', async () => {
    [1, 5].forEach(put);
    show(5, 5);
    await ear.hears(2);
    show(1, 1);
    await ear.hears(4);
    expect(ear.timestampFault).toBe('the playlist’s sequence goes back from 5 to 1');
  });
});
