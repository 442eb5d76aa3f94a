import { DEFAULT_FORMAT } from '../../src/audio/pcm';
import { VibeRegistry } from '../../src/vibes/registry';
import { FakeHouse } from '../helpers/vibe-house';
import { codeOf } from '../helpers/code-of';

function setUp(config: ConstructorParameters<typeof FakeHouse>[0] = {}) {
  const house = new FakeHouse(config);
  return { house, registry: new VibeRegistry(house) };
}

describe('the registry of vibes', () => {
  it('starts a vibe once, and finds it again for the same creator', () => {
    const { house, registry } = setUp();
    const first = registry.start({ vibeId: 'v', creator: 'ann', title: 'Dawn' });
    const again = registry.start({ vibeId: 'v', creator: 'ann' });
    expect([first.created, again.created]).toEqual([true, false]);
    expect(again.vibe).toBe(first.vibe);
    expect(house.encoders).toHaveLength(1);
    expect(codeOf(() => registry.start({ vibeId: 'v', creator: 'bob' }))).toBe('creator-conflict');
  });

  it('starts a vibe at its first audio', () => {
    const { registry } = setUp();
    const vibe = registry.accept('v', { creator: 'ann' }, DEFAULT_FORMAT);
    expect(vibe.creator).toBe('ann');
    expect(registry.active()).toEqual([vibe]);
  });

  it('lets only its creator send to a vibe that has one', () => {
    const { registry } = setUp();
    registry.start({ vibeId: 'v', creator: 'ann' });
    expect(codeOf(() => registry.accept('v', { creator: 'bob' }, DEFAULT_FORMAT))).toBe('wrong-creator');
    expect(codeOf(() => registry.accept('v', {}, DEFAULT_FORMAT))).toBe('wrong-creator');
    expect(codeOf(() => registry.accept('v', { creator: 'ann' }, DEFAULT_FORMAT))).toBeUndefined();
  });

  it('lets anybody send to a vibe that was started without a creator', () => {
    const { registry } = setUp();
    registry.accept('v', {}, DEFAULT_FORMAT);
    expect(codeOf(() => registry.accept('v', { creator: 'bob' }, DEFAULT_FORMAT))).toBeUndefined();
  });

  it('gives the owner key once, and asks for it from then on', () => {
    const { registry } = setUp();
    const { vibe, ownerKey } = registry.start({ vibeId: 'v', creator: 'ann', claim: true });
    expect(ownerKey).toMatch(/^[\w-]{43}$/);
    expect(codeOf(() => registry.start({ vibeId: 'v', creator: 'ann', claim: true }))).toBe('unauthorized');
    expect(registry.start({ vibeId: 'v', creator: 'ann', claim: true, ownerKey })).not.toHaveProperty(
      'ownerKey',
    );
    expect(codeOf(() => registry.accept('v', { creator: 'ann' }, DEFAULT_FORMAT))).toBe('unauthorized');
    expect(codeOf(() => registry.accept('v', { creator: 'ann', ownerKey: 'guess' }, DEFAULT_FORMAT))).toBe(
      'wrong-owner-key',
    );
    expect(codeOf(() => registry.accept('v', { creator: 'ann', ownerKey }, DEFAULT_FORMAT))).toBeUndefined();
    expect(codeOf(() => registry.authorize(vibe, {}))).toBe('unauthorized');
    expect(codeOf(() => registry.authorize(vibe, { ownerKey }))).toBeUndefined();
  });

  it('gives the key of a vibe without a creator to who starts it, and to nobody later', () => {
    const { registry } = setUp();
    expect(registry.start({ vibeId: 'v', claim: true }).ownerKey).toHaveLength(43);
    registry.accept('open', {}, DEFAULT_FORMAT);
    expect(registry.start({ vibeId: 'open', creator: 'bob', claim: true })).not.toHaveProperty('ownerKey');
  });

  it('claims a private vibe, asked or not, and lets nobody listen without the key', () => {
    const { house, registry } = setUp();
    const { vibe, ownerKey } = registry.start({ vibeId: 'v', creator: 'ann', isPrivate: true });
    expect(house.mediaServer.privates).toContain('v');
    expect(ownerKey).toHaveLength(43);
    expect(codeOf(() => vibe.ownership.checkListener({ creator: 'ann' }))).toBe('unauthorized');
    expect(codeOf(() => vibe.ownership.checkListener({ ownerKey: 'guess' }))).toBe('wrong-owner-key');
    expect(codeOf(() => vibe.ownership.checkListener({ ownerKey }))).toBeUndefined();
    const bearer = { subject: 'ben', isAdmin: false };
    expect(codeOf(() => vibe.ownership.checkListener({ bearer }))).toBeUndefined();
  });

  it('makes no public vibe private, and no private one where nobody can be kept out', () => {
    const { house, registry } = setUp();
    const { vibe } = registry.start({ vibeId: 'v', creator: 'ann' });
    expect(codeOf(() => vibe.ownership.checkListener({}))).toBeUndefined();
    expect(codeOf(() => registry.start({ vibeId: 'v', creator: 'ann', isPrivate: true }))).toBe(
      'visibility-changed',
    );
    house.mediaServer.admissions = undefined;
    expect(codeOf(() => registry.start({ vibeId: 'w', isPrivate: true }))).toBe('private-unavailable');
    expect(registry.get('w')).toBeUndefined();
    registry.restore({ vibeId: 'x', startedAtMs: 0, isPrivate: true, heldMs: 0, leases: new Map() });
    expect(registry.get('x')).toBeUndefined();
  });

  it('lets a vibe that was not claimed be ended without a name, but not under another one', () => {
    const { registry } = setUp();
    const { vibe } = registry.start({ vibeId: 'v', creator: 'ann' });
    expect(codeOf(() => registry.authorize(vibe, {}))).toBeUndefined();
    expect(codeOf(() => registry.authorize(vibe, { creator: 'bob' }))).toBe('wrong-creator');
  });

  it('checks without changing anything', () => {
    const { house, registry } = setUp({ maxStreams: 1 });
    registry.check('v', { creator: 'ann' }, DEFAULT_FORMAT);
    expect(registry.active()).toEqual([]);
    expect(house.encoders).toEqual([]);
    registry.start({ vibeId: 'other', creator: 'ann' });
    expect(codeOf(() => registry.check('v', {}, DEFAULT_FORMAT))).toBe('too-many-vibes');
    expect(codeOf(() => registry.check('../v', {}, DEFAULT_FORMAT))).toBe('invalid-vibe-id');
  });

  it('refuses a vibe too many, and has room again when one ends', async () => {
    const { registry } = setUp({ maxStreams: 1 });
    const { vibe } = registry.start({ vibeId: 'a', creator: 'ann' });
    expect(registry.isFull).toBe(true);
    expect(codeOf(() => registry.start({ vibeId: 'b', creator: 'ann' }))).toBe('too-many-vibes');
    await vibe.end({ drain: false, cause: 'test' });
    expect(codeOf(() => registry.start({ vibeId: 'b', creator: 'ann' }))).toBeUndefined();
  });

  it('remembers a vibe that is over for five minutes, but takes the id again at once', async () => {
    const { house, registry } = setUp();
    const { vibe } = registry.start({ vibeId: 'v', creator: 'ann' });
    await vibe.end({ drain: false, cause: 'test' });
    expect(registry.require('v').state).toBe('ended');
    expect(codeOf(() => registry.requireActive('v'))).toBe('vibe-not-found');
    house.clock.advance(5 * 60_000 + 2_000);
    expect(codeOf(() => registry.require('v'))).toBe('vibe-not-found');
    expect(registry.start({ vibeId: 'v', creator: 'bob' }).created).toBe(true);
    await registry.close();
  });

  it('answers for a vibe that still plays out: it is ending', () => {
    const { registry } = setUp();
    const { vibe } = registry.start({ vibeId: 'v', creator: 'ann' });
    registry.accept('v', { creator: 'ann' }, DEFAULT_FORMAT).push(Buffer.alloc(192_000), { door: 'post' });
    void vibe.end({ drain: true, cause: 'test' });
    expect(codeOf(() => registry.accept('v', { creator: 'ann' }, DEFAULT_FORMAT))).toBe('vibe-ending');
    expect(codeOf(() => registry.start({ vibeId: 'v', creator: 'ann' }))).toBe('vibe-ending');
  });

  it('drains: refuses audio, plays out what is held, and cuts off what exceeds the budget', async () => {
    const { house, registry } = setUp();
    const short = registry.accept('short', {}, DEFAULT_FORMAT);
    const long = registry.accept('long', {}, DEFAULT_FORMAT);
    short.push(Buffer.alloc(192 * 500), { door: 'post' });
    long.push(Buffer.alloc(192 * 20_000), { door: 'post' });
    const drained = registry.drain(5_000);
    expect(codeOf(() => registry.accept('new', {}, DEFAULT_FORMAT))).toBe('draining');
    expect(codeOf(() => registry.start({ vibeId: 'new', creator: 'ann' }))).toBe('draining');
    await house.clock.advanceAsync(6_000, 20);
    await drained;
    expect([short.state, long.state]).toEqual(['ended', 'ended']);
    expect(await house.metric('vibesflow_samples_discarded_total')).toBeGreaterThan(48 * 14_000);
    await registry.close();
    expect(house.clock.pendingTimers).toBe(0);
  });

  it('settles an encoder’s losses by what the media server says', async () => {
    const { house, registry } = setUp();
    registry.accept('v', {}, DEFAULT_FORMAT);
    const exit = {
      reason: 'killed',
      exitCode: null,
      signal: null,
      samplesFed: 5_000,
      outTimeUs: 0,
      token: 't',
      stderr: [],
    };
    house.encoder.emit('exit', exit, false);
    house.mediaServer.emit('unpublished', { vibeId: 'v', token: 't', aacFrames: 3 });
    expect(await house.metric('vibesflow_samples_lost_total')).toBe(5_000 - 2 * 1024);
    await registry.close();
  });

  it('lets leases run out', async () => {
    const { house, registry } = setUp({ holdSeconds: 600 });
    const { vibe } = registry.start({ vibeId: 'v', creator: 'ann' });
    vibe.participants.join('p1');
    house.clock.advance(40_000);
    vibe.participants.join('p2');
    expect(vibe.participants.count).toBe(2);
    house.clock.advance(30_000);
    expect(vibe.participants.count).toBe(1);
    await registry.close();
  });

  it('brings the gauges up to date when they are read', async () => {
    const { house, registry } = setUp({ maxStreams: 7, maxBufferSeconds: 20 });
    registry.accept('v', {}, DEFAULT_FORMAT).push(Buffer.alloc(192_000), { door: 'post' });
    registry.start({ vibeId: 'w', creator: 'ann' }).vibe.participants.join('p');
    // No FFmpeg, but a process that is there.
    house.encoder.pid = process.pid;
    house.mediaServer.setPlayers('v', 4);
    const text = await house.metrics.registry.metrics();
    expect(text).toMatch(/vibesflow_vibes\{state="buffering"\} 1/);
    expect(text).toMatch(/vibesflow_participants 1\n/);
    expect(text).toMatch(/vibesflow_listeners 4\n/);
    expect(text).toMatch(/vibesflow_buffered_seconds 1\n/);
    expect(text).toMatch(/vibesflow_buffered_max_seconds 1\n/);
    expect(text).toMatch(/vibesflow_buffer_limit_seconds 20\n/);
    expect(text).toMatch(/vibesflow_vibes_limit 7\n/);
    expect(text).toMatch(/vibesflow_vibes_by_signal\{signal="filling"\} 2\n/);
    expect(text).toMatch(/vibesflow_program_processes\{program="ffmpeg"\} 1\n/);
    expect(text).toMatch(/vibesflow_draining 0\n/);
    await registry.close();
    expect(await house.metrics.registry.metrics()).toMatch(/vibesflow_draining 1\n/);
  });

  it('shows how much was still held when a chunk came', async () => {
    const { house, registry } = setUp();
    const vibe = registry.accept('v', {}, DEFAULT_FORMAT);
    vibe.push(Buffer.alloc(192_000), { door: 'post' });
    vibe.push(Buffer.alloc(3_840), { door: 'post' });
    const text = await house.metrics.registry.metrics();
    expect(text).toMatch(/vibesflow_buffered_on_arrival_seconds_bucket\{le="0"\} 1\n/);
    expect(text).toMatch(/vibesflow_buffered_on_arrival_seconds_bucket\{le="0.64"\} 1\n/);
    expect(text).toMatch(/vibesflow_buffered_on_arrival_seconds_count 2\n/);
    await registry.close();
  });
});
