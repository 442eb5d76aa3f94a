import { type Taken, TakenTally } from '../../src/base/taken-tally';

describe('a tally of what doors take', () => {
  const told: [string, Taken][] = [];
  const tally = new TakenTally((door, taken) => told.push([door, { ...taken }]));
  beforeEach(() => void told.splice(0));

  it('adds up chunks and bytes by door, and tells nothing of them before it is asked', () => {
    tally.count('websocket', 3_840);
    tally.count('pcm', 7);
    tally.count('websocket', 100);
    expect(told).toEqual([]);
    tally.settle();
    expect(told).toEqual([
      ['websocket', { chunks: 2, bytes: 3_940 }],
      ['pcm', { chunks: 1, bytes: 7 }],
    ]);
  });

  it('tells each chunk once', () => {
    tally.settle();
    expect(told).toEqual([]);
    tally.count('pcm', 8);
    tally.settle();
    expect(told).toEqual([['pcm', { chunks: 1, bytes: 8 }]]);
  });
});
