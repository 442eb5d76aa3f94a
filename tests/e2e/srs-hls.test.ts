import { execFileSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import path from 'node:path';
import { performance } from 'node:perf_hooks';
import { delay, eventually } from '../helpers/eventually';
import { httpRequest } from '../helpers/http-request';
import { describeSrs } from '../helpers/srs';
import { SrsHouse } from '../helpers/srs-house';
import { srsTraits } from '../helpers/srs-traits';

/** The first segment is complete after 1.5 s, and SRS had to start FFmpeg's stream before. */
const HLS_MS = 10_000;
const DISPOSE_SECONDS = 3;

describeSrs('HLS of a real SRS', () => {
  let house: SrsHouse;
  afterEach(async () => house?.close(), 30_000);

  const files = (): string[] => readdirSync(path.join(house.srs.hlsDirectory, 'live')).sort();
  const segments = async (name: string): Promise<string[]> => {
    const answer = await httpRequest(house.srs.hlsUrl(name));
    if (answer.status !== 200) throw new Error(`playlist: ${answer.status}`);
    return answer.body
      .toString()
      .split('\n')
      .filter((line) => line.endsWith('.ts'));
  };
  const firstSegments = async (name: string): Promise<string[]> =>
    eventually(`${name} has a segment`, async () => (await segments(name)).length > 0 && segments(name), {
      withinMs: HLS_MS,
    });

  it('is there, without video, in segments of a second and a half', async () => {
    house = await SrsHouse.open();
    await house.publish('form');
    await eventually('three segments', async () => (await segments('form')).length >= 3, {
      withinMs: HLS_MS,
    });
    const { body } = await httpRequest(house.srs.hlsUrl('form'));
    const lengths = [...body.toString().matchAll(/#EXTINF:([\d.]+)/g)].map((match) => Number(match[1]));
    for (const seconds of lengths) expect(Math.abs(seconds - 1.5)).toBeLessThan(0.1);
    const first = await httpRequest(
      new URL((await segments('form'))[0] as string, house.srs.hlsUrl('form')).href,
    );
    expect(streamTypes(first.body)).toEqual([AAC_IN_TS]);
  }, 60_000);

  it('gives a stream that stops and starts again a playlist of its second life', async () => {
    const { hlsAfterStop } = srsTraits();
    house = await SrsHouse.open({
      change: (conf) => conf.replace(/hls_dispose \d+/, `hls_dispose ${DISPOSE_SECONDS}`),
    });
    const before = await stopped('again');
    if (hlsAfterStop === 'removed') {
      await eventually('its files are gone', () => files().length === 0, { withinMs: 15_000 });
    } else {
      // There is nothing to wait for but the time in which they would have gone.
      await delay((DISPOSE_SECONDS + 6) * 1_000);
      expect(files()).toEqual([...before, 'again.m3u8'].sort());
    }
    await house.publish('again');
    const now = await eventually(
      'a segment of the second life',
      async () => {
        const listed = await segments('again');
        return listed.some((uri) => !before.includes(uri)) && listed;
      },
      { withinMs: HLS_MS },
    );
    expect(now.filter((uri) => before.includes(uri))).toEqual([]);
  }, 60_000);

  it('is written under the name that the playlist is asked for, even where a listener came first', async () => {
    const { hlsNameAfterEarlyListener } = srsTraits();
    house = await SrsHouse.open();
    const waiting = house.listen('early', 15_000);
    await eventually('SRS has asked', () => house.hooks.callsOf('on_play', 'early').length > 0);
    await house.publish('early');
    expect(await waiting).toBeDefined();
    const playlist = hlsNameAfterEarlyListener.replace('name', 'early') + '.m3u8';
    await eventually(`${playlist} is there`, () => files().includes(playlist), { withinMs: HLS_MS });
    expect(files().filter((file) => file.endsWith('.m3u8'))).toEqual([playlist]);
  }, 60_000);

  it('is written under the right name where the hook keeps early listeners waiting for the publisher', async () => {
    house = await SrsHouse.open();
    let publish!: () => void;
    const published = new Promise<void>((resolve) => (publish = resolve));
    house.hooks.answer = async ({ action }) => {
      if (action === 'on_play') await published;
      return {};
    };
    const waiting = house.listen('patient', 15_000);
    await eventually('SRS has asked', () => house.hooks.callsOf('on_play', 'patient').length > 0);
    await house.publish('patient');
    publish();
    const listener = await waiting;
    await listener?.until('sound', () => listener.frames.length > 2);
    expect(listener?.isConnected).toBe(true);
    await firstSegments('patient');
    expect(files().filter((file) => file.endsWith('.m3u8'))).toEqual(['patient.m3u8']);
  }, 60_000);

  const asRoot = process.getuid?.() === 0 ? it : it.skip;
  asRoot(
    'that finds no room on its disk stops, and nobody else notices',
    async () => {
      house = await SrsHouse.open({ prepare: (directory) => mountSmallDisk(directory) });
      try {
        const publisher = await house.onAir('full');
        const listener = await house.hear('full');
        await eventually('the disk is full', () => house.srs.errors(1045) > 0, { withinMs: 20_000 });
        const fullMs = performance.now();
        const heard = listener.frames.length;
        await listener.until('2 s more', () => listener.frames.length > heard + 94);
        expect({ publishes: publisher.isRunning, heardAfterMs: performance.now() - fullMs > 0 }).toEqual({
          publishes: true,
          heardAfterMs: true,
        });
      } finally {
        execFileSync('umount', ['--lazy', house.srs.hlsDirectory]);
      }
    },
    60_000,
  );

  /** Publishes until there is a segment, and stops. @returns the segments of that life that are left */
  async function stopped(name: string): Promise<string[]> {
    const publisher = await house.publish(name);
    await firstSegments(name);
    await publisher.stop();
    await eventually('SRS says so', () => house.hooks.callsOf('on_unpublish', name).length === 1);
    return segments(name);
  }
});

/** Room for some seconds of a stream. */
function mountSmallDisk(directory: string): void {
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', directory]);
}

const AAC_IN_TS = 0x0f;

/** The types of the streams that a transport stream's map announces. */
function streamTypes(ts: Buffer): number[] {
  for (let at = 0; at + 188 <= ts.length; at += 188) {
    const hasField = ((ts[at + 3] as number) & 0x20) !== 0;
    const startsUnit = ((ts[at + 1] as number) & 0x40) !== 0;
    let section = at + 4 + (hasField ? 1 + (ts[at + 4] as number) : 0);
    if (!startsUnit) continue;
    section += 1 + (ts[section] as number);
    // Table 2 is the map of a program.
    if (ts[section] !== 2) continue;
    const end = section + 3 + (ts.readUInt16BE(section + 1) & 0xfff) - 4;
    const types: number[] = [];
    let entry = section + 12 + (ts.readUInt16BE(section + 10) & 0xfff);
    while (entry < end) {
      types.push(ts[entry] as number);
      entry += 5 + (ts.readUInt16BE(entry + 3) & 0xfff);
    }
    return types;
  }
  throw new Error('no program map');
}
