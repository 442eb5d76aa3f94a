import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { AUDIO_TAG, FLV_HEADER, flvTag, SCRIPT_TAG } from '../../../src/media-server/flv';
import { FlvProbe } from '../../../src/media-server/srs/flv-probe';
import { eventually } from '../../helpers/eventually';
import { FakeClock } from '../../helpers/fake-clock';

describe('the probe', () => {
  let server: http.Server;
  let clock: FakeClock;
  let probe: FlvProbe | undefined;
  let requests: number;
  let heard: number;
  let answer: (res: http.ServerResponse) => void;

  beforeEach(async () => {
    [requests, heard, clock] = [0, 0, new FakeClock()];
    server = http.createServer((_req, res) => {
      requests += 1;
      answer(res);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  });

  afterEach(async () => {
    probe?.close();
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
    await eventually('no timer is left', () => clock.pendingTimers === 0);
  });

  function start(port = (server.address() as AddressInfo).port): FlvProbe {
    const url = `http://127.0.0.1:${port}/live/song.flv?relay=x`;
    return (probe = new FlvProbe({ url, clock, onAudio: () => (heard += 1) }));
  }

  it('hears the first audio, once, and hangs up', async () => {
    let isClosed = false;
    answer = (res) => {
      res.on('close', () => (isClosed = true));
      res.write(FLV_HEADER);
      res.write(flvTag(SCRIPT_TAG, 0, Buffer.from([2])));
      for (let tag = 0; tag < 3; tag += 1) res.write(flvTag(AUDIO_TAG, tag * 21, Buffer.from([0xaf, 1, 7])));
    };
    start();
    await eventually('it hung up', () => isClosed);
    expect([heard, requests]).toEqual([1, 1]);
  });

  it('is connected while it is answered nothing at all, however long', async () => {
    answer = () => undefined;
    const waiting = start();
    await eventually('it has come', () => requests === 1);
    clock.advance(60_000);
    expect([waiting.connected, heard, clock.pendingTimers]).toEqual([true, 0, 0]);
  });

  it('comes back ever more seldom, and at once where it is told', async () => {
    answer = (res) => res.writeHead(404).end();
    const refused = start();
    for (const waitMs of [100, 200, 400, 800, 1_600, 2_000, 2_000]) {
      const before = requests;
      await eventually('it waits', () => clock.pendingTimers === 1);
      clock.advance(waitMs - 1);
      expect(clock.pendingTimers).toBe(1);
      clock.advance(1);
      await eventually('it is back', () => requests > before);
    }
    await eventually('it waits', () => clock.pendingTimers === 1);
    const before = requests;
    refused.retryNow();
    await eventually('it is back', () => requests > before);
    await eventually('it waits', () => clock.pendingTimers === 1);
    clock.advance(100);
    await eventually('it is back', () => requests > before + 1);
  });

  it.each([
    ['404', (res: http.ServerResponse) => res.writeHead(404).end()],
    ['a closed socket', (res: http.ServerResponse) => res.destroy()],
    ['something that is no FLV', (res: http.ServerResponse) => res.end('<html>nothing to hear here</html>')],
    ['an end without audio', (res: http.ServerResponse) => res.end(FLV_HEADER)],
  ])('comes back after %s', async (_what, refuse) => {
    answer = (res) => {
      if (requests < 3) refuse(res);
      else res.write(Buffer.concat([FLV_HEADER, flvTag(AUDIO_TAG, 0, Buffer.from([0xaf, 0, 1]))]));
    };
    start();
    await eventually('it heard', () => {
      clock.advance(100);
      return heard === 1;
    });
    expect(requests).toBe(3);
  });

  it('comes back where nothing listens, until it is closed', async () => {
    answer = () => undefined;
    const { port } = server.address() as AddressInfo;
    await new Promise((resolve) => server.close(resolve));
    const lonely = start(port);
    await eventually('it waits for its next try', () => clock.pendingTimers === 1);
    lonely.close();
    await eventually('it gave up', () => clock.pendingTimers === 0);
    await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
    clock.advance(1_000);
    expect(requests).toBe(0);
  });
});
