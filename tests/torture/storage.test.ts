import { existsSync, readdirSync, renameSync, rmSync } from 'node:fs';
import path from 'node:path';
import { performance } from 'node:perf_hooks';
import { delay, eventually } from '../helpers/eventually';
import { jsonRequest } from '../helpers/http-request';
import { SmallDisk } from './faults/small-disk';
import type { Fault } from './suite/fault';
import { Stage } from './suite/stage';
import { testFaults } from './suite/suite';

const describeAsRoot = process.getuid?.() === 0 && process.platform === 'linux' ? describe : describe.skip;
/** The journal is looked after every 2 s. */
const KNOWN_WITHIN_MS = 5_000;
const LASTS_MS = 5_000;

describeAsRoot('a vibe whose disk fails (needs root: a file system of its own is mounted)', () => {
  let stage: Stage;
  let disk: SmallDisk;
  let data: string;
  beforeAll(async () => {
    disk = await SmallDisk.mount(1);
    data = path.join(disk.path, 'data');
    stage = await Stage.open({ DATA_DIR: data });
  });
  afterAll(async () => {
    await stage?.close();
    await disk?.unmount();
  });

  /** What `/health` says of the journal: the relay's one file that matters. HLS and all else that is heard is in memory. */
  async function journal(): Promise<{ up: boolean; detail?: string }> {
    const { json } = await jsonRequest(`${stage.daemon.apiUrl}/health`);
    return json['journal'] as { up: boolean; detail?: string };
  }

  /** It lasts, and the relay says what is wrong, once in the log; when it is over, it says that, too. */
  async function lastFor(ms: number, code: string): Promise<string> {
    const mark = stage.mark;
    const fromMs = performance.now();
    const said = await eventually(
      '/health says what is wrong',
      async () => {
        const { up, detail } = await journal();
        return !up && detail?.includes(code) === true && detail;
      },
      { withinMs: KNOWN_WITHIN_MS },
    );
    await delay(ms - (performance.now() - fromMs));
    const errors = stage.log(mark).filter(({ level }) => level === 'error');
    if (errors.length > 1) throw new Error(`${errors.length} errors in the log, not one`);
    return said;
  }

  async function heals(): Promise<void> {
    await eventually('/health says that all is well', async () => (await journal()).up, {
      withinMs: KNOWN_WITHIN_MS,
    });
  }

  const price = { lost: 0, stallMs: 500 };
  const says: Fault['says'] = (line) => line.msg.startsWith('the journal cannot be written');

  const faults: Fault[] = [
    {
      name: 'the disk of DATA_DIR is full for 5 s (ENOSPC)',
      vibeId: 'disk-full',
      inject: async () => {
        const atMs = performance.now();
        const seen = disk.fill();
        const said = await lastFor(LASTS_MS, 'ENOSPC').finally(() => disk.free());
        await heals();
        return { atMs, witness: `${seen}; /health: ${said}` };
      },
      price,
      says,
    },
    {
      name: 'a disk that can only be read takes DATA_DIR’s place for 5 s (EROFS)',
      vibeId: 'disk-read-only',
      inject: async () => {
        const atMs = performance.now();
        const seen = await disk.cover(data);
        const said = await lastFor(LASTS_MS, 'EROFS').finally(async () => disk.uncover(data));
        await heals();
        return { atMs, witness: `${seen}; /health: ${said}` };
      },
      price,
      says,
    },
    {
      name: 'DATA_DIR is gone for 5 s, and comes back as it was',
      vibeId: 'directory-gone',
      inject: async () => {
        const atMs = performance.now();
        renameSync(data, `${data}.away`);
        const made = await eventually(
          'the journal begins anew',
          () =>
            existsSync(data) &&
            readdirSync(data).some((name) => name.endsWith('.journal')) &&
            readdirSync(data),
          { withinMs: KNOWN_WITHIN_MS },
        );
        await delay(LASTS_MS - (performance.now() - atMs));
        rmSync(data, { recursive: true, force: true });
        renameSync(`${data}.away`, data);
        await heals();
        return { atMs, witness: `made anew meanwhile: ${made.join(', ')}` };
      },
      price,
    },
  ];

  testFaults(() => stage, faults);
});
