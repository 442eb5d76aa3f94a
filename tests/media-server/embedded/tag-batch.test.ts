import { copyOf, httpChunk, TagBatch, type TimedTag } from '../../../src/media-server/embedded/tag-batch';
import { AUDIO_TAG, flvTag } from '../../../src/media-server/flv';

const BODIES = [300, 5, 4_000].map((length, index) => Buffer.alloc(length, index + 1));
const TIMES = [1_000, 1_021, 1_043];

function tagsAt(originMs: number): Buffer[] {
  return BODIES.map((body, index) => flvTag(AUDIO_TAG, (TIMES[index] as number) - originMs, body));
}

describe('tags that go out together', () => {
  const tags: TimedTag[] = tagsAt(0).map((bytes, index) => ({ bytes, timeMs: TIMES[index] as number }));
  const batch = new TagBatch(0, tags);

  it('carry each listener’s own times, whoever came before', () => {
    for (const originMs of [1_000, 0, 640, 640, 1_000])
      expect(copyOf(batch.bytesFor('plain', originMs, 0))).toEqual(Buffer.concat(tagsAt(originMs)));
  });

  it('are HTTP’s chunks, one each, where the answer consists of them', () => {
    const chunks = tagsAt(640).map(httpChunk);
    expect(copyOf(batch.bytesFor('chunked', 640, 0))).toEqual(Buffer.concat(chunks));
    expect(chunks[0]?.toString('latin1')).toMatch(/^13b\r\n.*\r\n$/s);
  });

  it.each(['plain', 'chunked'] as const)('leave out what came before a listener did (%s)', (framing) => {
    const own = framing === 'plain' ? tagsAt(1_021) : tagsAt(1_021).map(httpChunk);
    for (const first of [0, 1, 2, 3])
      expect(copyOf(batch.bytesFor(framing, 1_021, first))).toEqual(Buffer.concat(own.slice(first)));
  });

  it('stay as they are for who keeps them', () => {
    const kept = batch.bytesFor('plain', 640, 0);
    batch.leave('plain');
    batch.bytesFor('plain', 0, 0);
    expect(kept).toEqual(Buffer.concat(tagsAt(640)));
  });

  it('hold no memory but their own, so that a listener who keeps them keeps no more', () => {
    const small = new TagBatch(0, tags.slice(1, 2)).bytesFor('chunked', 0, 0);
    expect(small.buffer.byteLength).toBe(small.length);
  });
});
