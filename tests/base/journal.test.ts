import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import fs from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Registry } from 'prom-client';
import { Journal, parseJournal, readJournal } from '../../src/base/journal';
import { JournalMetrics } from '../../src/base/journal-metrics';
import { eventually } from '../helpers/eventually';
import { FakeClock } from '../helpers/fake-clock';
import { silentLogger } from '../helpers/silent-logger';

const SNAPSHOT = [{ first: 'snapshot' }];

let home: string;
let file: string;
let open: Journal[];

beforeEach(() => {
  home = mkdtempSync(path.join(tmpdir(), 'vibesflow-journal-'));
  file = path.join(home, 'data', 'the.journal');
  mkdirSync(path.dirname(file));
  open = [];
});

afterEach(async () => {
  jest.restoreAllMocks();
  await Promise.all(open.map((journal) => journal.freeze()));
  rmSync(home, { recursive: true });
});

function setUp(snapshot: () => unknown[] = () => SNAPSHOT) {
  const clock = new FakeClock();
  const metrics = new JournalMetrics(new Registry());
  const logged: string[] = [];
  const logger = Object.assign(Object.create(silentLogger) as typeof silentLogger, {
    error: (_facts: object, message: string) => logged.push(message),
    info: (_facts: object, message: string) => logged.push(message),
  });
  const journal = new Journal({ path: file, clock, logger, metrics, snapshot });
  open.push(journal);
  const count = async (name: 'records' | 'faults' | 'bytes'): Promise<number> =>
    (await metrics[name].get()).values[0]?.value ?? 0;
  return { clock, journal, logged, count };
}

describe('a journal', () => {
  it('begins with a snapshot, and gives back what was recorded, in order', async () => {
    const { journal, count } = setUp();
    journal.begin();
    await journal.written();
    const records = [{ a: 1 }, ['ü', '\n', '\u2028'], 'text', null, { deep: { er: [1, 2] } }];
    for (const record of records) journal.append(record);
    await journal.written();
    expect(readJournal(file)).toEqual({ records: [...SNAPSHOT, ...records], damagedLines: 0 });
    expect(await count('records')).toBe(1 + records.length);
    expect(await count('bytes')).toBe(statSync(file).size);
  });

  it('writes what is recorded in one go with one write', async () => {
    const { journal } = setUp();
    journal.begin();
    await journal.written();
    const before = statSync(file).size;
    for (let n = 0; n < 100; n += 1) journal.append({ n });
    // Nothing is written by who records.
    expect(statSync(file).size).toBe(before);
    await journal.written();
    expect(readJournal(file).records).toHaveLength(101);
  });

  it('may be read by its owner alone', async () => {
    const { journal } = setUp();
    journal.begin();
    await journal.written();
    expect(statSync(file).mode & 0o777).toBe(0o600);
  });

  it('leaves what an earlier process wrote until it begins, and takes its place then', async () => {
    writeFileSync(file, 'of before');
    const { journal } = setUp();
    journal.append({ lost: true });
    await journal.written();
    expect(readFileSync(file, 'utf8')).toBe('of before');
    journal.begin();
    await journal.written();
    expect(readJournal(file).records).toEqual(SNAPSHOT);
  });

  it('is written anew when it has grown, with nothing lost that comes meanwhile', async () => {
    const all: unknown[] = [];
    const { journal } = setUp(() => [{ upTo: all.length }]);
    journal.begin();
    let longest = 0;
    for (let n = 0; n < 400; n += 1) {
      const record = { n, text: 'x'.repeat(12_000) };
      all.push(record);
      journal.append(record);
      if (n % 7 === 0) await journal.written();
      longest = Math.max(longest, statSync(file, { throwIfNoEntry: false })?.size ?? 0);
    }
    await journal.written();
    const [first, ...rest] = readJournal(file).records as [{ upTo: number }, ...unknown[]];
    expect(first.upTo).toBeGreaterThan(100);
    expect(rest).toEqual(all.slice(first.upTo));
    expect(longest).toBeLessThan(1_200_000);
    expect(readdirSync(path.dirname(file))).toEqual([path.basename(file)]);
  });

  it('leaves no file after a clean stop, and the file as it is where it is frozen', async () => {
    const { clock, journal } = setUp();
    journal.begin();
    await journal.written();
    journal.append({ last: true });
    await journal.freeze();
    expect(readJournal(file).records).toEqual([...SNAPSHOT, { last: true }]);
    journal.append({ after: true });
    expect(JSON.stringify(readJournal(file).records)).not.toContain('after');
    expect(clock.pendingTimers).toBe(0);
    await journal.close();
    expect(existsSync(file)).toBe(true);

    const second = setUp();
    second.journal.begin();
    await second.journal.written();
    await second.journal.close();
    expect(existsSync(file)).toBe(false);
    expect(second.clock.pendingTimers).toBe(0);
  });
});

describe('a journal that is torn or damaged', () => {
  let bytes: Buffer;
  let records: readonly unknown[];
  beforeEach(async () => {
    const { journal } = setUp();
    journal.begin();
    await journal.written();
    for (let n = 0; n < 12; n += 1) journal.append({ n, name: `füür ${n}`.repeat(n) });
    await journal.freeze();
    bytes = readFileSync(file);
    ({ records } = parseJournal(bytes));
    expect(records.length).toBeGreaterThan(0);
  });

  it('gives, torn at whatever byte, the records before: no more, and never an exception', () => {
    for (let length = 0; length <= bytes.length; length += 1) {
      const part = bytes.subarray(0, length);
      const whole = part.reduce((lines, byte) => lines + (byte === 0x0a ? 1 : 0), 0);
      const { records: found, damagedLines } = parseJournal(part);
      expect(found).toEqual(records.slice(0, whole));
      expect(damagedLines).toBe(length > 0 && part.at(-1) !== 0x0a ? 1 : 0);
    }
  });

  it('gives all records but the damaged one, whichever byte is another', () => {
    for (let at = 0; at < bytes.length; at += 1) {
      const damaged = Buffer.from(bytes);
      damaged[at] = (damaged[at] as number) ^ 0x41;
      const line = bytes.subarray(0, at).reduce((lines, byte) => lines + (byte === 0x0a ? 1 : 0), 0);
      const { records: found, damagedLines } = parseJournal(damaged);
      // Where the end of a line is gone, two have become one.
      const lost = bytes[at] === 0x0a ? 2 : 1;
      expect(found).toEqual(records.filter((_, n) => n < line || n >= line + lost));
      expect(damagedLines).toBeGreaterThan(0);
    }
  });

  it('gives nothing of what was never a journal', () => {
    expect(parseJournal(Buffer.from('\0\0\0\n\n\n{"a":1}\n')).records).toEqual([]);
    // The checksum is right, what it stands for is no JSON.
    expect(parseJournal(Buffer.from('00000000 \n'))).toEqual({ records: [], damagedLines: 1 });
  });

  it('says why it could not be read, where that is not because there is none', () => {
    expect(readJournal(path.join(home, 'none'))).toEqual({ records: [], damagedLines: 0 });
    expect(readJournal(home)).toMatchObject({ records: [], fault: { code: 'EISDIR' } });
  });
});

describe('a journal whose process dies while it is written anew', () => {
  it('is whole at any moment: the old one, or the new one', async () => {
    const old = setUp(() => [{ old: true }]);
    old.journal.begin();
    await old.journal.freeze();
    // Dead before the new file has its name: what was begun is in the way of nobody.
    writeFileSync(`${file}.next`, '1234');
    expect(readJournal(file).records).toEqual([{ old: true }]);
    const next = setUp(() => [{ next: true }]);
    next.journal.begin();
    await next.journal.written();
    expect(readJournal(file).records).toEqual([{ next: true }]);
    expect(readdirSync(path.dirname(file))).toEqual([path.basename(file)]);
  });
});

describe('a journal that cannot be written', () => {
  /** The disk is full, from now on until `mockRestore`. */
  function fillDisk(after = 0) {
    const real = fs.open.bind(fs);
    return jest.spyOn(fs, 'open').mockImplementation(async (...args) => {
      const handle = await real(...args);
      let left = after;
      jest.spyOn(handle, 'write').mockImplementation((async () => {
        left -= 1;
        if (left < 0) throw Object.assign(new Error('no space left on device'), { code: 'ENOSPC' });
        return { bytesWritten: 0 };
      }) as never);
      return handle;
    });
  }

  it('says so once, counts each try, and takes a snapshot when it can be again', async () => {
    let state = 'before';
    const { clock, journal, logged, count } = setUp(() => [{ state }]);
    const full = fillDisk();
    journal.begin();
    await journal.written();
    for (let tries = 0; tries < 3; tries += 1) {
      journal.append({ lost: tries });
      clock.advance(2_000);
      await eventually('it tried again', async () => (await count('faults')) === tries + 2, { everyMs: 1 });
    }
    expect(logged).toEqual(['the journal cannot be written: vibes would not survive the daemon’s death']);
    expect(readdirSync(path.dirname(file))).toEqual([]);
    expect(journal.fault).toBe('ENOSPC');
    full.mockRestore();
    state = 'after';
    clock.advance(2_000);
    await eventually('it is there', () => readJournal(file).records.length === 1, { everyMs: 1 });
    expect(readJournal(file).records).toEqual([{ state: 'after' }]);
    await journal.written();
    expect(logged.at(-1)).toBe('the journal is written again');
    expect(journal.fault).toBeUndefined();
    journal.append({ more: true });
    await journal.written();
    expect(readJournal(file).records).toEqual([{ state: 'after' }, { more: true }]);
  });

  it('begins anew where its file was removed, or its directory with it', async () => {
    const { clock, journal } = setUp();
    journal.begin();
    await journal.written();
    for (const gone of [file, path.dirname(file)]) {
      rmSync(gone, { recursive: true });
      await eventually(
        'it is there again',
        () => {
          clock.advance(2_000);
          return existsSync(file);
        },
        { everyMs: 2 },
      );
      await journal.written();
      expect(readJournal(file).records).toEqual(SNAPSHOT);
    }
    renameSync(file, `${file}.away`);
    writeFileSync(file, 'of somebody else');
    await eventually(
      'it is its own again',
      () => {
        clock.advance(2_000);
        return readJournal(file).damagedLines === 0;
      },
      { everyMs: 2 },
    );
  });
});
