import { RtpOrder } from '../../../src/media-server/srs/rtp-order';
import type { RtpPacket } from '../../../src/media-server/srs/rtp';

function packet(sequence: number): RtpPacket {
  return { sequence, timestamp: sequence * 960, payload: Buffer.from([0xfc]) };
}

/** Pushes numbers, 20 ms apart, and gives what came out: numbers, with what was missing before them. */
function order(numbers: readonly number[]): (number | [number, number])[] {
  const rtpOrder = new RtpOrder();
  return numbers.flatMap((number, at) =>
    rtpOrder
      .push(packet(number), at * 20)
      .map(({ packet: { sequence }, missing }) => (missing > 0 ? [sequence, missing] : sequence)),
  );
}

describe('packets from the network', () => {
  it('come out at once where they are in order', () => {
    const rtpOrder = new RtpOrder();
    for (const number of [7, 8, 9]) expect(rtpOrder.push(packet(number), 0)).toHaveLength(1);
  });

  it('are put in order', () => {
    expect(order([10, 12, 13, 11, 14])).toEqual([10, 11, 12, 13, 14]);
  });

  it('count on after 65535', () => {
    expect(order([65_534, 65_535, 1, 0, 2])).toEqual([65_534, 65_535, 0, 1, 2]);
  });

  it('come once', () => {
    const rtpOrder = new RtpOrder();
    for (const number of [1, 2, 2, 3, 1]) rtpOrder.push(packet(number), 0);
    expect(rtpOrder.late).toBe(2);
    expect(order([1, 2, 2, 3, 1, 4])).toEqual([1, 2, 3, 4]);
  });

  it('are given up 120 ms after the first that came out of turn, and counted', () => {
    expect(order([1, 4, 5, 6, 7, 8])).toEqual([1]);
    expect(order([1, 4, 5, 6, 7, 8, 9, 10])).toEqual([1, [4, 2], 5, 6, 7, 8, 9, 10]);
  });

  it('wait for each gap by itself', () => {
    expect(order([1, 3, 4, 5, 6, 8, 9, 10, 11, 12, 13, 14])).toEqual([
      ...[1, [3, 1], 4, 5, 6],
      ...[[8, 1], 9, 10, 11, 12, 13, 14],
    ]);
  });

  it('start over after a jump: what was held comes first', () => {
    expect(order([1, 2, 4, 30_000, 30_001])).toEqual([1, 2, [4, 1], 30_000, 30_001]);
  });
});
