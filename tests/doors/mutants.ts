import fc from 'fast-check';
import { bytesOf } from './exchange';
import type { Row } from './row';

/** What parsers stumble over. */
const WORDS: readonly Buffer[] = [
  ...[
    '\r\n',
    '\n',
    '\0',
    '\r\n\r\n',
    ' ',
    ':',
    '%',
    '%00',
    '%2f..',
    '?',
    '&',
    '"',
    '\\',
    '{',
    '[',
    '}',
    ',',
    'null',
    '1e999',
  ],
  ...[
    '-1',
    '0',
    '65536',
    '4294967296',
    '9007199254740993',
    'chunked',
    'Content-Length: 5\r\n',
    'Transfer-Encoding: chunked\r\n',
  ],
  ...[
    'Expect: 100-continue\r\n',
    'Connection: upgrade\r\n',
    'Upgrade: websocket\r\n',
    '__proto__',
    'constructor',
    '../',
  ],
].map((word) => Buffer.from(word, 'latin1'));
const BYTES = [0x00, 0x01, 0x7f, 0x80, 0xc0, 0xc3, 0xed, 0xf5, 0xff].map((byte) => Buffer.from([byte]));

type Change =
  | { readonly kind: 'flip'; readonly at: number; readonly bit: number }
  | { readonly kind: 'cut'; readonly at: number; readonly length: number }
  | { readonly kind: 'repeat'; readonly at: number; readonly length: number; readonly times: number }
  | { readonly kind: 'insert'; readonly at: number; readonly word: Buffer }
  | { readonly kind: 'end'; readonly at: number }
  | { readonly kind: 'graft'; readonly at: number; readonly seed: number };

/** Positions are parts of the whole: a change fits a seed of any length. */
const at = fc.integer({ min: 0, max: 0xffff });
const change: fc.Arbitrary<Change> = fc.oneof(
  fc.record({ kind: fc.constant('flip' as const), at, bit: fc.integer({ min: 0, max: 7 }) }),
  fc.record({ kind: fc.constant('cut' as const), at, length: fc.integer({ min: 1, max: 64 }) }),
  fc.record({
    kind: fc.constant('repeat' as const),
    at,
    length: fc.integer({ min: 1, max: 64 }),
    times: fc.integer({ min: 2, max: 300 }),
  }),
  fc.record({ kind: fc.constant('insert' as const), at, word: fc.constantFrom(...WORDS, ...BYTES) }),
  fc.record({ kind: fc.constant('end' as const), at }),
  fc.record({ kind: fc.constant('graft' as const), at, seed: fc.nat() }),
);

/** What comes of the seeds by one to six small changes. */
export function mutantsOf(seeds: readonly Buffer[]): fc.Arbitrary<Buffer> {
  return fc
    .record({ seed: fc.nat(seeds.length - 1), changes: fc.array(change, { minLength: 1, maxLength: 6 }) })
    .map(({ seed, changes }) =>
      changes.reduce((bytes, each) => changed(bytes, each, seeds), seeds[seed] as Buffer),
    );
}

function changed(bytes: Buffer, change: Change, seeds: readonly Buffer[]): Buffer {
  const from = Math.floor((change.at / 0x1_0000) * (bytes.length + 1));
  const [before, after] = [bytes.subarray(0, from), bytes.subarray(from)];
  switch (change.kind) {
    case 'flip': {
      const flipped = Buffer.from(bytes);
      if (from < bytes.length) flipped[from] = (bytes[from] as number) ^ (1 << change.bit);
      return flipped;
    }
    case 'cut':
      return Buffer.concat([before, after.subarray(change.length)]);
    case 'repeat':
      return Buffer.concat([
        before,
        ...Array<Buffer>(change.times).fill(after.subarray(0, change.length)),
        after,
      ]);
    case 'insert':
      return Buffer.concat([before, change.word, after]);
    case 'end':
      return Buffer.from(before);
    case 'graft': {
      const other = seeds[change.seed % seeds.length] as Buffer;
      return Buffer.concat([before, other.subarray(Math.floor((from / (bytes.length + 1)) * other.length))]);
    }
  }
}

/** A seed of more than this costs more time than it brings. */
const MAX_SEED_BYTES = 20_000;

/** What the rows of a table send at once, less what the control vibe’s own creator could say. */
export function seedsOf(rows: readonly Row[]): Buffer[] {
  return rows
    .filter(({ slow }) => !slow)
    .map(({ send }) =>
      Buffer.concat(
        [send].flat().map((step) => {
          if (Buffer.isBuffer(step)) return step;
          return 'head' in step && !step.upgrades ? bytesOf(step, 'mutant') : Buffer.alloc(0);
        }),
      ),
    )
    .filter((bytes) => bytes.length > 0 && bytes.length <= MAX_SEED_BYTES && !bytes.includes('honest'));
}
