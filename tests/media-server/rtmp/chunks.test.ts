import fc from 'fast-check';
import { rtmpChunks, RtmpChunkReader, type RtmpMessage } from '../../../src/media-server/rtmp/chunks';

interface Sent {
  readonly chunkStream: number;
  readonly type: number;
  readonly streamId: number;
  readonly payload: Buffer;
}

function read(pieces: readonly Buffer[]): RtmpMessage[] {
  const messages: RtmpMessage[] = [];
  const reader = new RtmpChunkReader((message) =>
    messages.push({ ...message, payload: Buffer.from(message.payload) }),
  );
  for (const piece of pieces) reader.push(piece);
  return messages;
}

function setChunkSize(bytes: number): Buffer {
  const payload = Buffer.alloc(4);
  payload.writeUInt32BE(bytes);
  return rtmpChunks({ chunkStream: 2, type: 1, payload });
}

const sent: fc.Arbitrary<Sent> = fc.record({
  chunkStream: fc.integer({ min: 2, max: 63 }),
  type: fc.constantFrom(8, 9, 18, 20),
  streamId: fc.integer({ min: 0, max: 5 }),
  payload: fc.uint8Array({ maxLength: 900 }).map((bytes) => Buffer.from(bytes)),
});

describe('RTMP chunks', () => {
  it('give the messages back, in whatever pieces they arrive', () => {
    fc.assert(
      fc.property(
        fc.array(sent, { maxLength: 10 }),
        fc.integer({ min: 1, max: 500 }),
        fc.integer({ min: 1, max: 700 }),
        (messages, chunkBytes, pieceBytes) => {
          const stream = Buffer.concat([
            setChunkSize(chunkBytes),
            ...messages.map((message) => rtmpChunks(message, chunkBytes)),
          ]);
          const pieces: Buffer[] = [];
          for (let at = 0; at < stream.length; at += pieceBytes)
            pieces.push(stream.subarray(at, at + pieceBytes));
          expect(read(pieces).map(({ type, streamId, payload }) => ({ type, streamId, payload }))).toEqual(
            messages.map(({ type, streamId, payload }) => ({ type, streamId, payload })),
          );
        },
      ),
    );
  });

  it('of two messages may alternate', () => {
    const a = rtmpChunks({ chunkStream: 4, type: 8, payload: Buffer.alloc(200, 1) });
    const b = rtmpChunks({ chunkStream: 5, type: 18, payload: Buffer.alloc(200, 2) });
    const messages = read([a.subarray(0, 140), b.subarray(0, 140), a.subarray(140), b.subarray(140)]);
    expect(messages.map(({ type, payload }) => [type, payload.length, payload[199]])).toEqual([
      [8, 200, 1],
      [18, 200, 2],
    ]);
  });

  it('may leave out what repeats: headers of 7, 3 and no bytes', () => {
    const stream = Buffer.from([
      ...[0x04, 0, 0, 100, 0, 0, 1, 8, 1, 0, 0, 0, 0xa1],
      ...[0x44, 0, 0, 20, 0, 0, 2, 8, 0xb1, 0xb2],
      ...[0x84, 0, 0, 30, 0xc1, 0xc2],
      ...[0xc4, 0xd1, 0xd2],
    ]);
    expect(read([stream]).map(({ timestampMs, payload }) => [timestampMs, payload.toString('hex')])).toEqual([
      [100, 'a1'],
      [120, 'b1b2'],
      [150, 'c1c2'],
      [180, 'd1d2'],
    ]);
  });

  it('may have long chunk stream ids and extended times', () => {
    const time = [0x01, 0x00, 0x00, 0x05];
    const head = [0xff, 0xff, 0xff, 0, 0, 130, 8, 1, 0, 0, 0, ...time];
    const stream = Buffer.from([0x01, 0x10, 0x01, ...head, ...Buffer.alloc(128, 7)]);
    const rest = Buffer.from([0xc1, 0x10, 0x01, ...time, 8, 9]);
    expect(read([stream, rest])).toMatchObject([{ timestampMs: 0x0100_0005, payload: { length: 130 } }]);
  });

  it('of a message that is given up are forgotten', () => {
    const whole = rtmpChunks({ chunkStream: 4, type: 8, payload: Buffer.alloc(200, 1) });
    const abort = rtmpChunks({ chunkStream: 2, type: 2, payload: Buffer.from([0, 0, 0, 4]) });
    const messages = read([whole.subarray(0, 140), abort, whole]);
    expect(messages).toHaveLength(1);
    expect(messages[0]?.payload).toEqual(Buffer.alloc(200, 1));
  });

  it.each([
    ['continue what never began', Buffer.from([0xc4, 0])],
    ['are of length zero', setChunkSize(0)],
    ['belong to a message that is too long', Buffer.from([4, 0, 0, 0, 0xff, 0xff, 0xff, 9, 1, 0, 0, 0])],
    [
      'come on too many streams',
      Buffer.concat(
        Array.from({ length: 65 }, (_, id) => Buffer.from([0, id, 0, 0, 0, 0, 0, 0, 8, 1, 0, 0, 0])),
      ),
    ],
  ])('are refused where they %s', (_, bytes) => {
    expect(() => read([bytes])).toThrow();
  });

  it('are not told any more after a stop, not even what has arrived', () => {
    const message = rtmpChunks({ chunkStream: 4, type: 8, payload: Buffer.from([1]) });
    const heard: RtmpMessage[] = [];
    const reader: RtmpChunkReader = new RtmpChunkReader((one) => {
      heard.push(one);
      reader.stop();
    });
    reader.push(Buffer.concat([message, message]));
    reader.push(message);
    expect(heard).toHaveLength(1);
  });
});
