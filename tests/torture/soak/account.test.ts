import { type Counted, differenceOf, heardOf, toleranceOf, unaccounted, type VibeAccount } from './account';

const SENT = 480_000;
const clean: VibeAccount = {
  vibeId: 'a',
  sent: SENT,
  heard: { net: 0, first: 0, end: SENT, trailing: 700 },
  ...{ restarts: 0, lost: 0, hadSilence: false },
};
const counted = (parts: Partial<Counted> = {}): Counted => ({
  ...{ accepted: SENT, played: SENT, discarded: 0, silence: 0, lost: 0 },
  ...parts,
});

describe('the account of a soak', () => {
  it('is right where everything was heard', () => {
    expect(unaccounted([clean], counted())).toEqual([]);
    expect(differenceOf([clean], counted())).toBe(0);
  });

  it('knows that a restart puts 1024 samples in, and cuts off a frame', () => {
    const restarted = { ...clean, restarts: 1, lost: 3_072, heard: { ...clean.heard, net: 3_072 - 1_024 } };
    expect(heardOf(restarted)).toBe(3_072);
    expect(unaccounted([restarted], counted({ lost: 3_072 }))).toEqual([]);
    expect(toleranceOf(restarted)).toBe(1_024 + 8);
  });

  it('names the vibe that lost what nobody counted', () => {
    const vibe = { ...clean, heard: { ...clean.heard, net: 1_024 } };
    expect(unaccounted([vibe], counted())).toEqual([
      'a: 0 samples counted as lost, 1024 missing; off by -1024, at most 8',
      'the account of all vibes is off by -1024 samples, at most 8',
    ]);
  });

  it('knows silence in sum', () => {
    const held = { ...clean, hadSilence: true, heard: { ...clean.heard, net: -9_216 } };
    expect(
      unaccounted(
        [held, { ...clean, sent: 0, heard: { ...clean.heard, end: 0 } }],
        counted({ silence: 9_216 }),
      ),
    ).toEqual([]);
    expect(unaccounted([held], counted({ silence: 8_192 }))).toEqual([
      'the account of all vibes is off by 1024 samples, at most 8',
    ]);
  });

  it('counts what came behind a creator who went away, to a frame', () => {
    const abandoned = { ...clean, hadSilence: true, heard: { ...clean.heard, trailing: 192_000 } };
    expect(unaccounted([abandoned], counted({ silence: 191_488 }))).toEqual([]);
    expect(unaccounted([abandoned], counted({ silence: 180_000 }))).toHaveLength(1);
  });

  it('counts a beginning and an end that were not heard', () => {
    const cut = { ...clean, lost: 48_000, heard: { ...clean.heard, first: 20_000, end: SENT - 28_000 } };
    expect(unaccounted([cut], counted({ lost: 48_000 }))).toEqual([]);
  });

  it('holds accepted against sent, and against played, to the sample', () => {
    expect(unaccounted([clean], counted({ accepted: SENT - 1, played: SENT - 1 }))).toEqual([
      `${SENT - 1} samples accepted of ${SENT} sent`,
    ]);
    expect(unaccounted([clean], counted({ played: SENT - 4_800 }))).toEqual([
      '4800 samples accepted and neither played nor discarded',
    ]);
  });
});
