import * as account from './account';

const { differenceOf, heardOf, toleranceOf } = account;
type Counted = account.Counted;
type VibeAccount = account.VibeAccount;

const unaccounted = (vibes: readonly VibeAccount[], all: Counted): string[] =>
  account.unaccounted(vibes, all).map(({ words }) => words);

const SENT = 480_000;
const clean: VibeAccount = {
  vibeId: 'a',
  sent: SENT,
  heard: { net: 0, end: SENT, lead: -1_024, trailing: 700 },
  ...{ restarts: 0, lost: 0, silence: 0 },
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
      expect.stringMatching(/^a: 0 lost and 0 of silence .* 1024 missing as heard; off by -1024, at most 8 /),
    ]);
  });

  it('holds silence against what was put in', () => {
    const held = { ...clean, silence: 9_216, heard: { ...clean.heard, net: -9_216 } };
    expect(unaccounted([held], counted({ silence: 9_216 }))).toEqual([]);
    const wrong = { ...held, silence: 8_192 };
    expect(unaccounted([wrong], counted({ silence: 8_192 }))).toEqual([
      expect.stringContaining('off by 1024'),
    ]);
    expect(unaccounted([held], counted({ silence: 8_192 }))).toEqual([
      '8192 samples of silence in all, 9216 by vibe',
    ]);
  });

  it('counts what came behind a creator who went away, to a frame', () => {
    const abandoned = { ...clean, silence: 191_488, heard: { ...clean.heard, trailing: 192_000 } };
    expect(unaccounted([abandoned], counted({ silence: 191_488 }))).toEqual([]);
    expect(unaccounted([{ ...abandoned, silence: 180_000 }], counted({ silence: 180_000 }))).toHaveLength(1);
  });

  it('counts a beginning and an end that were not heard', () => {
    const cut = {
      ...clean,
      lost: 48_000,
      heard: { ...clean.heard, lead: 20_000 - 1_024, end: SENT - 28_000 },
    };
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
