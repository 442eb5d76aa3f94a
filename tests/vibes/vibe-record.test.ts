import { DEFAULT_FORMAT } from '../../src/audio/pcm';
import { RECORD_VERSION, recollect, type VibeRecord } from '../../src/vibes/vibe-record';

const RELAY: VibeRecord = {
  ...{ type: 'relay', version: RECORD_VERSION, pid: 1, startTicks: '2', bootId: 'b' },
  ...{ startedAtMs: 1_000, quickDeaths: 0 },
};

function vibe(vibeId: string, facts: Partial<Extract<VibeRecord, { type: 'vibe' }>> = {}): VibeRecord {
  return { type: 'vibe', vibeId, startedAtMs: 5, ending: false, ...facts };
}

describe('the records of vibes', () => {
  it('come to what was known last', () => {
    const { writer, lastMs, vibes, encoders } = recollect([
      RELAY,
      vibe('a', { creator: 'ann' }),
      vibe('b'),
      { type: 'leases', vibeId: 'a', leases: [['p', 10]] },
      { type: 'leases', vibeId: 'a', leases: [['q', 11]] },
      { type: 'played', atMs: 2_000, vibes: [['a', 3, true, 60]] },
      vibe('a', { creator: 'ann', format: DEFAULT_FORMAT, encoder: { pid: 7, startTicks: '70' } }),
      { type: 'leases', vibeId: 'a', leases: [['p', 20]] },
      { type: 'left', vibeId: 'a', participantId: 'q' },
      { type: 'played', atMs: 3_000, vibes: [['a', 4, true, 80]] },
    ]);
    expect([writer?.pid, lastMs]).toEqual([1, 3_000]);
    expect(encoders).toEqual([{ vibeId: 'a', pid: 7, startTicks: '70' }]);
    expect(vibes.map(({ vibeId }) => vibeId)).toEqual(['a', 'b']);
    expect(vibes[0]).toMatchObject({
      creator: 'ann',
      startedAtMs: 5,
      format: DEFAULT_FORMAT,
      position: { sequence: 4, numbered: true },
      heldMs: 80,
      leases: new Map([['p', 20]]),
    });
    expect(vibes[1]).not.toHaveProperty('position');
  });

  it('do not bring back what is over, nor give its successor what it had', () => {
    const { vibes } = recollect([
      RELAY,
      vibe('a', { creator: 'ann' }),
      { type: 'leases', vibeId: 'a', leases: [['p', 10]] },
      { type: 'played', atMs: 1, vibes: [['a', 3, true, 60]] },
      { type: 'over', vibeId: 'a' },
      vibe('a', { creator: 'bob' }),
      vibe('b'),
      { type: 'over', vibeId: 'b' },
    ]);
    expect(vibes).toEqual([
      expect.objectContaining({ vibeId: 'a', creator: 'bob', heldMs: 0, leases: new Map() }),
    ]);
    expect(vibes[0]).not.toHaveProperty('position');
  });

  it('know of the FFmpeg of a vibe that was ending, which does not come back itself', () => {
    const encoder = { pid: 7, startTicks: '70' };
    const { vibes, encoders } = recollect([RELAY, vibe('a', { ending: true, encoder })]);
    expect(vibes).toEqual([]);
    expect(encoders).toEqual([{ vibeId: 'a', ...encoder }]);
  });

  it('leave out what belongs to no vibe that is known: its record may be the damaged one', () => {
    const orphans: VibeRecord[] = [
      { type: 'leases', vibeId: 'a', leases: [['p', 10]] },
      { type: 'left', vibeId: 'a', participantId: 'p' },
      { type: 'over', vibeId: 'a' },
      { type: 'played', atMs: 9, vibes: [['a', 3, true, 60]] },
    ];
    expect(recollect([RELAY, ...orphans])).toMatchObject({ vibes: [], encoders: [], lastMs: 9 });
  });

  it('say nothing where they are of another version, or of nobody', () => {
    expect(recollect([{ ...RELAY, version: 2 }, vibe('a')])).toMatchObject({ vibes: [] });
    const others = [null, { type: 'played', atMs: 9, vibes: { a: 3 } }, { type: 'leases', vibeId: 'a' }, 'x'];
    const journal = [{ ...RELAY, version: 2 }, vibe('a'), ...(others as unknown as VibeRecord[])];
    expect(recollect(journal)).toEqual({ lastMs: 0, vibes: [], encoders: [] });
    expect(recollect([vibe('a')])).toEqual({ lastMs: 0, vibes: [], encoders: [] });
    expect(recollect([])).toEqual({ lastMs: 0, vibes: [], encoders: [] });
  });
});
