import { Unplayed } from '../../src/cli/unplayed';

/** 100 ms each, told apart by their bytes. */
function kept(count: number): Unplayed<{ bytes: Buffer }> {
  const unplayed = new Unplayed<{ bytes: Buffer }>();
  for (let n = 0; n < count; n += 1) unplayed.add({ bytes: Buffer.alloc(19_200, n) });
  return unplayed;
}

const names = (pieces: readonly { bytes: Buffer }[]): (number | undefined)[] =>
  pieces.map(({ bytes }) => bytes[0]);

describe('what a relay has not played', () => {
  it('is what it says it holds, and half a second more', () => {
    const unplayed = kept(20);
    unplayed.holds(1_000);
    expect(names(unplayed.all())).toEqual([5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19]);
    unplayed.holds(0);
    expect(names(unplayed.all())).toEqual([15, 16, 17, 18, 19]);
    unplayed.holds(5_000);
    expect(unplayed.all()).toHaveLength(5);
  });

  it('is taken out by number, from the end, or not at all', () => {
    const unplayed = kept(5);
    expect(names(unplayed.takeLast(6))).toEqual([]);
    expect(names(unplayed.takeLast(-1))).toEqual([]);
    expect(names(unplayed.takeLast(2))).toEqual([3, 4]);
    expect(names(unplayed.takeLast(3))).toEqual([0, 1, 2]);
    expect(unplayed.all()).toEqual([]);
  });
});
