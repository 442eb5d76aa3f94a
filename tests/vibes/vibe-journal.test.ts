import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { crc32 } from 'node:zlib';
import { DEFAULT_FORMAT } from '../../src/audio/pcm';
import { readJournal } from '../../src/base/journal';
import { readProcessUsage } from '../../src/base/process-usage';
import { VibeRegistry } from '../../src/vibes/registry';
import { VibeJournal } from '../../src/vibes/vibe-journal';
import { recollect, type PastVibe, type VibeRecord } from '../../src/vibes/vibe-record';
import { codeOf } from '../helpers/code-of';
import { FakeHouse } from '../helpers/vibe-house';

/** 100 ms, every sample other than zero. */
const CHUNK = Buffer.alloc(19_200, 0x11);
const CHUNK_MS = 100;

let dataDir: string;
let relays: Relay[];
beforeEach(() => {
  dataDir = mkdtempSync(path.join(tmpdir(), 'vibesflow-vibes-'));
  relays = [];
});
afterEach(async () => {
  for (const relay of relays) await relay.journal.freeze();
  rmSync(dataDir, { recursive: true });
});

/** A daemon's vibes and their journal. Who wrote a journal is told to be gone by `die`. */
class Relay {
  readonly house: FakeHouse;
  readonly journal: VibeJournal;
  readonly registry: VibeRegistry;
  readonly restored: PastVibe[] = [];

  private constructor(nowMs: number, port: number, config: { holdSeconds?: number }) {
    this.house = new FakeHouse(config);
    this.house.clock.advance(Math.max(0, nowMs - this.house.clock.epochMs()));
    const { clock, logger, metrics } = this.house;
    this.journal = new VibeJournal({
      config: { dataDir, port, holdSeconds: this.house.config.holdSeconds },
      ...{ clock, logger, metrics: metrics.journal },
    });
    this.registry = new VibeRegistry(Object.assign(this.house, { recorder: this.journal }));
  }

  static async start(
    options: { after?: Relay; awayMs?: number; port?: number; holdSeconds?: number } = {},
  ): Promise<Relay> {
    const { after, awayMs = 1_000, port = 3001, ...config } = options;
    const relay = new Relay((after?.house.clock.epochMs() ?? 0) + awayMs, port, config);
    relays.push(relay);
    relay.journal.begin((past) => {
      relay.restored.push(past);
      relay.registry.restore(past);
    });
    await relay.settled();
    return relay;
  }

  /** What is under way to the file is there. */
  async settled(): Promise<void> {
    await this.journal.written();
  }

  /** Time goes on, in steps in which the journal can write. */
  async run(ms: number): Promise<void> {
    await this.house.clock.advanceAsync(ms, 20);
    await this.settled();
  }

  /** The process is gone at once. The journal stays as it is, but for its writer, who in truth is this very process. */
  async die(): Promise<this> {
    await this.journal.freeze();
    rewriteJournal((record) => (record.type === 'relay' ? { ...record, startTicks: '1' } : record));
    return this;
  }
}

function journalFile(): string {
  return path.join(dataDir, readdirSync(dataDir).find((name) => name.endsWith('.journal')) as string);
}

function records(): VibeRecord[] {
  return readJournal(journalFile()).records as VibeRecord[];
}

/** What a journal would be with other records. */
function rewriteJournal(change: (record: VibeRecord) => VibeRecord): void {
  const lines = records().map((record) => JSON.stringify(change(record)));
  writeFileSync(
    journalFile(),
    lines.map((json) => `${crc32(json).toString(16).padStart(8, '0')} ${json}\n`).join(''),
  );
}

describe('the journal of vibes', () => {
  it('brings a vibe back to the bearer whose token started it', async () => {
    const old = await Relay.start();
    const claim = { bearer: { subject: 'ann', isAdmin: false } };
    old.registry.start({ vibeId: 'v', isPrivate: true, ...claim });
    await old.run(300);
    await old.die();
    const { registry } = await Relay.start({ after: old });
    const bob = { bearer: { subject: 'bob', isAdmin: false } };
    expect(codeOf(() => registry.accept('v', bob, DEFAULT_FORMAT))).toBe('wrong-creator');
    expect(codeOf(() => registry.accept('v', claim, DEFAULT_FORMAT))).toBeUndefined();
    expect(registry.require('v').ownership.isPrivate).toBe(true);
    // Without tokens, and without a key, nobody can show that it may listen.
    expect(codeOf(() => registry.require('v').ownership.checkListener({ ownerKey: 'any' }))).toBe(
      'unauthorized',
    );
  });

  it('brings a vibe back with all that it is: whose, since when, in what format, how far, with whom', async () => {
    const old = await Relay.start();
    const { vibe, ownerKey } = old.registry.start({
      ...{ vibeId: 'v', creator: 'ann', network: 'metis', title: 'Dawn', claim: true },
    });
    const claim = { creator: 'ann', ownerKey: ownerKey as string };
    old.registry.accept('v', claim, DEFAULT_FORMAT);
    vibe.participants.join('p1');
    vibe.participants.join('p2');
    vibe.participants.leave('p2');
    for (let n = 5; n < 10; n += 1) vibe.push(CHUNK, { door: 'post', sequence: n });
    await old.run(300);
    const { startedAtMs } = vibe;
    await old.die();

    const { registry, house } = await Relay.start({ after: old });
    const back = registry.require('v');
    expect(back).toMatchObject({
      state: 'holding',
      creator: 'ann',
      network: 'metis',
      title: 'Dawn',
      startedAtMs,
    });
    expect([back.isStreaming, back.format, back.participants.count]).toEqual([true, DEFAULT_FORMAT, 1]);
    expect(house.encoder.options.format).toEqual(DEFAULT_FORMAT);
    expect(codeOf(() => registry.start({ vibeId: 'v', creator: 'bob' }))).toBe('creator-conflict');
    expect(codeOf(() => registry.accept('v', { creator: 'ann' }, DEFAULT_FORMAT))).toBe('unauthorized');
    expect(codeOf(() => registry.accept('v', claim, { ...DEFAULT_FORMAT, channels: 1 }))).toBe(
      'format-changed',
    );
    registry.accept('v', claim, DEFAULT_FORMAT);
    // Begun when the daemon died: 60 ms after the first chunk came, and two AAC frames early.
    expect(back.lastSequence).toBe(7);
    expect(back.push(CHUNK, { door: 'post', sequence: 7 })).toMatchObject({ accepted: 0, duplicate: true });
    expect(back.push(CHUNK, { door: 'post', sequence: 8 })).toMatchObject({ accepted: CHUNK.length });
    await registry.close();
  });

  it('has silence go out until the creator is back, then its audio, and ends the vibe where it does not come', async () => {
    const old = await Relay.start();
    old.registry.accept('v', {}, DEFAULT_FORMAT).push(CHUNK, { door: 'post' });
    old.registry.accept('w', {}, DEFAULT_FORMAT).push(CHUNK, { door: 'post' });
    await old.run(500);
    await old.die();

    const { registry, house, ...relay } = await Relay.start({ after: old, awayMs: 2_000 });
    house.clock.advance(1_000);
    const [encoder] = house.encoders;
    const silence = encoder!.bytes;
    expect(silence.length / 4 / 48).toBeGreaterThan(900);
    expect(silence.every((byte) => byte === 0)).toBe(true);
    const vibe = registry.accept('v', {}, DEFAULT_FORMAT);
    vibe.push(CHUNK, { door: 'post' });
    house.clock.advance(CHUNK_MS + 50);
    expect(vibe.state).toBe('live');
    expect(encoder!.bytes.includes(CHUNK)).toBe(true);
    expect(relay.restored.map(({ vibeId }) => vibeId)).toEqual(['v', 'w']);
    await house.clock.advanceAsync(31_000, 500);
    expect(registry.require('w').state).toBe('ended');
    await registry.close();
  });

  it('brings back a vibe that waits for its first audio, and one whose format only is known', async () => {
    const old = await Relay.start();
    old.registry.start({ vibeId: 'v', creator: 'ann' });
    old.registry.accept('w', {}, { ...DEFAULT_FORMAT, channels: 1 });
    await old.run(50);
    await old.die();
    const { registry, house } = await Relay.start({ after: old });
    expect([registry.require('v').state, registry.require('w').state]).toEqual(['starting', 'starting']);
    expect(registry.require('w').format?.channels).toBe(1);
    house.clock.advance(500);
    expect(house.encoders.map(({ written }) => written.length)).toEqual([0, 0]);
    await registry.close();
  });

  it('does not bring back what was over or ending, and remembers nothing over a clean stop', async () => {
    const old = await Relay.start();
    for (const vibeId of ['ended', 'ending', 'on-air'])
      old.registry.accept(vibeId, {}, DEFAULT_FORMAT).push(Buffer.alloc(192_000, 1), { door: 'post' });
    await old.run(100);
    await old.registry.require('ended').end({ drain: false, cause: 'test' });
    void old.registry.require('ending').end({ drain: true, cause: 'test' });
    await old.run(100);
    await old.die();
    const next = await Relay.start({ after: old });
    expect(next.registry.active().map(({ id }) => id)).toEqual(['on-air']);
    await next.registry.close();
    await next.journal.close();
    expect(readdirSync(dataDir)).toEqual([]);
  });

  it('gives vibes up whose daemon was away for longer than their creators may be', async () => {
    const old = await Relay.start({ holdSeconds: 5 });
    old.registry.accept('v', {}, DEFAULT_FORMAT).push(CHUNK, { door: 'post' });
    await old.run(3_000);
    await old.die();
    const late = await Relay.start({ after: old, awayMs: 7_000, holdSeconds: 5 });
    expect(late.registry.active()).toEqual([]);
    // It was read; now it is another's.
    expect(recollect(records()).vibes).toEqual([]);
  });

  it('survives one death after the other, but gives vibes up that each of its lives may have died of', async () => {
    let relay = await Relay.start();
    relay.registry.accept('v', {}, DEFAULT_FORMAT).push(CHUNK, { door: 'post' });
    await relay.run(6_000);
    const restored: number[] = [];
    for (let deaths = 0; deaths < 7; deaths += 1) {
      await relay.die();
      relay = await Relay.start({ after: relay });
      restored.push(relay.restored.length);
      await relay.run(100);
    }
    // The first life was long enough.
    expect(restored).toEqual([1, 1, 1, 1, 1, 1, 0]);
  });

  it('leaves the journal of a daemon that lives alone', async () => {
    const first = await Relay.start();
    first.registry.accept('v', {}, DEFAULT_FORMAT).push(CHUNK, { door: 'post' });
    await first.run(100);
    const before = readFileSync(journalFile());
    const second = await Relay.start();
    expect([second.restored, second.journal.encoders]).toEqual([[], []]);
    expect(first.journal.fault).toBeUndefined();
    expect(second.journal.fault).toBe('another relay writes the journal of this one');
    second.registry.start({ vibeId: 'w', creator: 'ann' });
    await second.run(100);
    await second.journal.close();
    expect(readFileSync(journalFile()).subarray(0, before.length)).toEqual(before);
    const other = await Relay.start({ port: 3002 });
    expect(other.restored).toEqual([]);
    expect(readdirSync(dataDir)).toEqual(['vibes-3001.journal', 'vibes-3002.journal']);
  });

  it('says which FFmpegs ran', async () => {
    const old = await Relay.start();
    old.registry.start({ vibeId: 'v', creator: 'ann' });
    old.house.encoder.pid = process.pid;
    old.house.encoder.to('backoff', 'test');
    old.house.encoder.to('starting', 'test');
    await old.settled();
    await old.die();
    const { startTicks } = readProcessUsage(process.pid) as { startTicks: string };
    const next = await Relay.start({ after: old });
    expect(next.journal.encoders).toEqual([{ vibeId: 'v', pid: process.pid, startTicks }]);
  });

  it('holds no secret', async () => {
    const { registry, ...relay } = await Relay.start();
    const { ownerKey } = registry.start({ vibeId: 'v', creator: 'ann', claim: true });
    registry.accept('v', { ownerKey }, DEFAULT_FORMAT).push(CHUNK, { door: 'post' });
    await relay.house.clock.advanceAsync(100, 20);
    await relay.journal.written();
    const text = readFileSync(journalFile(), 'utf8');
    expect(text).toContain('"keyHash"');
    expect(text).not.toContain(ownerKey);
    expect(text).not.toMatch(/token|rtmp/i);
  });

  it('writes nothing while nothing is played, but for a sign of life a second, and nothing at all without vibes', async () => {
    const relay = await Relay.start();
    const written = async (): Promise<number> => relay.house.metric('vibesflow_journal_records_total');
    const idle = await written();
    await relay.run(3_000);
    expect((await written()) - idle).toBe(0);
    relay.registry.start({ vibeId: 'v', creator: 'ann' });
    await relay.run(100);
    const before = await written();
    await relay.run(5_000);
    expect((await written()) - before).toBe(5);
  });

  it('goes on with the others where one cannot be brought back', async () => {
    const old = await Relay.start();
    old.registry.start({ vibeId: 'bad', creator: 'ann' });
    old.registry.start({ vibeId: 'good', creator: 'ann' });
    await old.run(50);
    await old.die();
    rewriteJournal((record) =>
      record.type === 'vibe' && record.vibeId === 'bad'
        ? ({ ...record, format: { sampleFormat: 'none' } } as unknown as VibeRecord)
        : record,
    );
    const next = await Relay.start({ after: old });
    expect(next.registry.active().map(({ id }) => id)).toContain('good');
    expect(await next.house.metric('vibesflow_vibes_restored_total')).toBe(1);
  });
});
