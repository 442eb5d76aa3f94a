import { wavHeader } from '../../helpers/creators';
import type { Row } from '../row';
import { type Content, chunked, json, pcm, post, request, type Step } from '../wire';

const AUDIO = '/stream/{id}/audio';
const CONTROL = '/stream/control/audio';
/** 20 ms. */
const CHUNK = Buffer.alloc(3_840, 1);
const TWO_SECONDS = Buffer.alloc(384_000, 1);
const BASE64 = CHUNK.toString('base64');
const TORN = { status: 422, code: 'torn-sample' } as const;
const EMPTY = { status: 422, code: 'empty-audio' } as const;
const UNSUPPORTED = { status: 415, code: 'unsupported-format' } as const;
const BAD_AUDIO = { status: 400, code: 'invalid-audio-data' } as const;
const BAD_FIELD = { status: 400, code: 'invalid-field' } as const;
const BAD_SEQUENCE = { status: 400, code: 'invalid-sequence' } as const;
const TOO_LARGE = { status: 413, code: 'too-large' } as const;

function audio(name: string, content: Content | undefined, expected: Row['expect'], query = ''): Row {
  return { name, send: post(`${AUDIO}${query}`, content), expect: expected };
}

/** A WAV whose header is changed by hand. */
function wav(change: (header: Buffer) => void, bytes = CHUNK): Content {
  const header = wavHeader(bytes.length);
  change(header);
  return pcm(Buffer.concat([header, bytes]), 'audio/wav');
}

const PCM_ROWS: readonly Row[] = [
  audio('a byte less than a sample', pcm(Buffer.alloc(3)), TORN),
  audio('a byte more than samples', pcm(Buffer.alloc(3_841)), TORN),
  audio('samples of three bytes, torn', pcm(Buffer.alloc(4)), TORN, '?format=s24le&channels=1'),
  audio('eight channels, torn', pcm(Buffer.alloc(40)), TORN, '?format=f32le&channels=8'),
  audio('no audio at all', pcm(Buffer.alloc(0)), EMPTY),
  audio('no body', undefined, EMPTY),
  { name: 'chunks with nothing in them', send: chunked(AUDIO, '0\r\n\r\n'), expect: EMPTY },
  audio('an image', pcm(CHUNK, 'image/png'), UNSUPPORTED),
  audio('MP3', pcm(CHUNK, 'audio/mpeg'), UNSUPPORTED),
  audio('a media type that is none', pcm(CHUNK, 'audio'), UNSUPPORTED),
  audio('a media type with a line of its own', pcm(CHUNK, 'audio/pcm; rate=48000; ="'), UNSUPPORTED),
  audio('a media type named like a member of every object', pcm(CHUNK, 'constructor/toString'), UNSUPPORTED),
  audio('a format that nobody knows', pcm(CHUNK), UNSUPPORTED, '?format=mp3'),
  audio('a format like an option of FFmpeg', pcm(CHUNK), UNSUPPORTED, '?format=-i'),
  audio('a format named like a member of every object', pcm(CHUNK), UNSUPPORTED, '?format=__proto__'),
  audio('thirteen bits', pcm(CHUNK), UNSUPPORTED, '?format=s13le'),
  audio('a rate of 0', pcm(CHUNK), UNSUPPORTED, '?sampleRate=0'),
  audio('a rate of -1', pcm(CHUNK), UNSUPPORTED, '?sampleRate=-1'),
  audio('a rate of 7999', pcm(CHUNK), UNSUPPORTED, '?sampleRate=7999'),
  audio('a rate of 192001', pcm(CHUNK), UNSUPPORTED, '?sampleRate=192001'),
  audio('a rate of 44100.5', pcm(CHUNK), UNSUPPORTED, '?sampleRate=44100.5'),
  audio('a rate of 4e4', pcm(CHUNK), UNSUPPORTED, '?sampleRate=4e4'),
  audio('a rate that says more', pcm(CHUNK), UNSUPPORTED, '?sampleRate=48000%20-f%20lavfi'),
  audio('no channel', pcm(CHUNK), UNSUPPORTED, '?channels=0'),
  audio('nine channels', pcm(CHUNK), UNSUPPORTED, '?channels=9'),
  audio('255 channels in the media type', pcm(CHUNK, 'audio/l16;channels=255'), UNSUPPORTED),
  audio('both byte orders', pcm(CHUNK), UNSUPPORTED, '?format=s16le&endian=big'),
  audio('a middle-endian', pcm(CHUNK), UNSUPPORTED, '?endian=middle'),
  audio('the same parameter twice', pcm(CHUNK), BAD_FIELD, '?channels=2&channels=1'),
  audio('a creator of 257 letters', pcm(CHUNK), BAD_FIELD, `?creator=${'x'.repeat(257)}`),
  audio('a creator with a line break', pcm(CHUNK), BAD_FIELD, '?creator=a%0d%0ab'),
  {
    name: 'a creator in a header, with a tab',
    send: post(AUDIO, pcm(CHUNK), { 'X-Creator': 'a\tb' }),
    expect: BAD_FIELD,
  },
  { name: 'a gzip bomb', send: post(AUDIO, pcm(CHUNK), { 'Content-Encoding': 'gzip' }), expect: UNSUPPORTED },
  audio('the number -1', pcm(CHUNK), BAD_SEQUENCE, '?sequence=-1'),
  audio('the number 1.5', pcm(CHUNK), BAD_SEQUENCE, '?sequence=1.5'),
  audio('the number 2^53', pcm(CHUNK), BAD_SEQUENCE, '?sequence=9007199254740992'),
  audio('a number of hexadecimal digits', pcm(CHUNK), BAD_SEQUENCE, '?sequence=0x10'),
  audio('a number in other digits', pcm(CHUNK), BAD_SEQUENCE, '?sequence=%D9%A1'),
  audio('an empty number', pcm(CHUNK), BAD_SEQUENCE, '?sequence='),
  {
    name: 'a number in a header that is none',
    send: post(AUDIO, pcm(CHUNK), { 'X-Sequence': 'one' }),
    expect: BAD_SEQUENCE,
  },
  audio('a numbered chunk of more than 2 MB', pcm(Buffer.alloc(2_097_156)), TOO_LARGE, '?sequence=1'),
  {
    name: 'a numbered body of unknown length and more than 2 MB',
    send: [
      request('POST', `${AUDIO}?sequence=1`, {
        headers: { 'Content-Type': 'audio/pcm', 'Transfer-Encoding': 'chunked' },
      }),
      Buffer.concat([Buffer.from('200004\r\n'), Buffer.alloc(0x200004), Buffer.from('\r\n')]),
    ],
    expect: TOO_LARGE,
  },
];

const WAV_ROWS: readonly Row[] = [
  audio('WAV that is none', pcm(CHUNK, 'audio/wav'), BAD_AUDIO),
  audio('WAV that ends within its header', pcm(wavHeader(0).subarray(0, 30), 'audio/wav'), BAD_AUDIO),
  audio(
    'WAV in a codec that is not PCM',
    wav((header) => header.writeUInt16LE(85, 20)),
    UNSUPPORTED,
  ),
  audio(
    'WAV without channels',
    wav((header) => header.writeUInt16LE(0, 22)),
    UNSUPPORTED,
  ),
  audio(
    'WAV with 65535 channels',
    wav((header) => header.writeUInt16LE(65_535, 22)),
    UNSUPPORTED,
  ),
  audio(
    'WAV at 4 GHz',
    wav((header) => header.writeUInt32LE(0xffff_ffff, 24)),
    UNSUPPORTED,
  ),
  audio(
    'WAV of thirteen bits',
    wav((header) => header.writeUInt16LE(13, 34)),
    UNSUPPORTED,
  ),
  audio(
    'WAV whose blocks are no samples',
    wav((header) => header.writeUInt16LE(3, 32)),
    BAD_AUDIO,
  ),
  audio(
    'WAV with a header of 4 GB',
    wav((header) => header.writeUInt32LE(0xffff_fff0, 16)),
    BAD_AUDIO,
  ),
  audio(
    'WAV that is torn',
    wav(() => undefined, Buffer.alloc(3_842)),
    TORN,
  ),
  audio(
    'WAV without audio',
    wav(() => undefined, Buffer.alloc(0)),
    EMPTY,
  ),
];

const JSON_ROWS: readonly Row[] = [
  audio('JSON that is none', json('{"audioData":"'), { status: 400, code: 'invalid-json' }),
  audio('JSON that ends within long audio', json(`{"audioData":"${BASE64}`), {
    status: 400,
    code: 'invalid-json',
  }),
  audio('JSON without audio', json({ hello: 1 }), BAD_FIELD),
  audio('a list', json([{ audioData: BASE64 }]), BAD_FIELD),
  audio('audio that is a number', json({ audioData: 7 }), BAD_FIELD),
  audio('audio that is a list of bytes', json({ audioData: [1, 2, 3, 4] }), BAD_FIELD),
  audio('base64 with other letters', json({ audioData: '*not base64*' }), BAD_AUDIO),
  audio('base64 without its padding', json({ audioData: 'AAAAAA' }), BAD_AUDIO),
  audio('base64 with padding within', json({ audioData: 'AA==AAAA' }), BAD_AUDIO),
  audio('base64 with bits left over', json({ audioData: 'AAAAAB==' }), BAD_AUDIO),
  audio('base64 with white space', json({ audioData: 'AAAA AAAA' }), BAD_AUDIO),
  audio('base64 with line breaks', json({ audioData: 'AAAA\nAAAA' }), BAD_AUDIO),
  audio('base64 for URLs', json({ audioData: 'AA-_' }), BAD_AUDIO),
  audio(
    'long base64 with one wrong letter',
    json({ audioData: `${BASE64.slice(0, 4_000)}*${BASE64.slice(4_001)}` }),
    BAD_AUDIO,
  ),
  audio('base64 of half a sample', json({ audioData: 'AAA=' }), TORN),
  audio('empty base64', json({ audioData: '' }), EMPTY),
  audio('JSON of more than 2 MB', json({ audioData: 'A'.repeat(2_200_000) }), TOO_LARGE),
  audio('audio of another type', json({ audioData: BASE64, mimeType: 'video/mp4' }), UNSUPPORTED),
  audio('JSON within JSON', json({ audioData: BASE64, mimeType: 'application/json' }), UNSUPPORTED),
  audio('a rate that is an object', json({ audioData: BASE64, sampleRate: {} }), BAD_FIELD),
  audio('a rate of -1', json({ audioData: BASE64, sampleRate: -1 }), UNSUPPORTED),
  audio('a rate beyond numbers', json(`{"audioData":"${BASE64}","sampleRate":1e999}`), {
    status: [400, 415],
  }),
  audio('a number that is a word', json({ audioData: BASE64, sequence: '7' }), BAD_SEQUENCE),
  audio('a number below zero', json({ audioData: BASE64, sequence: -1 }), BAD_SEQUENCE),
  audio('a number that is an object', json({ audioData: BASE64, sequence: {} }), BAD_SEQUENCE),
  audio('a creator that is an object', json({ audioData: BASE64, creator: {} }), BAD_FIELD),
  audio('a Lyria message without pieces', json({ serverContent: { audioChunks: [] } }), BAD_FIELD),
  audio(
    'a Lyria message with 1025 pieces',
    json({ serverContent: { audioChunks: Array(1_025).fill({ data: 'AAAAAA==' }) } }),
    BAD_FIELD,
  ),
  audio(
    'a Lyria message in two formats',
    json({
      serverContent: {
        audioChunks: [
          { data: 'AAAAAA==', mimeType: 'audio/l16;rate=48000;channels=1' },
          { data: 'AAAAAA==', mimeType: 'audio/l16;rate=24000;channels=1' },
        ],
      },
    }),
    { status: 409, code: 'format-changed' },
  ),
  audio(
    'forty thousand empty members',
    json(`{${Array.from({ length: 40_000 }, (_, n) => `"m${n}":""`).join(',')}}`),
    BAD_FIELD,
  ),
  audio('a hundred thousand brackets', json('['.repeat(100_000)), { status: 400, code: 'invalid-json' }),
  audio('what would change every object', json(`{"__proto__":{"audioData":"${BASE64}"}}`), BAD_FIELD),
];

const ONE: Step = post(`${AUDIO}?sequence=100`, pcm(CHUNK));

/** Audio for vibes that are somebody’s, or have begun. */
const VIBE_ROWS: readonly Row[] = [
  {
    name: 'audio for another creator’s vibe',
    send: post(`${CONTROL}?creator=mallory`, pcm(CHUNK)),
    expect: { status: 403, code: 'wrong-creator' },
  },
  {
    name: 'audio for it under no name',
    send: post(CONTROL, pcm(CHUNK)),
    expect: { status: 403, code: 'wrong-creator' },
  },
  {
    name: 'JSON for it under another name',
    send: post(CONTROL, json({ audioData: BASE64, creator: 'mallory' })),
    expect: { status: 403, code: 'wrong-creator' },
  },
  {
    name: 'a stream for it under another name',
    send: chunked(`${CONTROL}?creator=mallory`, '4\r\nabcd\r\n0\r\n\r\n'),
    expect: { status: 403, code: 'wrong-creator' },
  },
  {
    name: 'its creator’s audio in another format',
    send: post(`${CONTROL}?creator=an-honest-creator&sampleRate=44100`, pcm(CHUNK)),
    expect: { status: 409, code: 'format-changed' },
  },
  {
    name: 'audio for a claimed vibe, without its key',
    given: [post('/stream/{id}/start', json({ creator: 'ann', claim: true }))],
    send: post(`${AUDIO}?creator=ann`, pcm(CHUNK)),
    expect: { status: 401, code: 'unauthorized', headers: { 'www-authenticate': /^Bearer/ } },
  },
  {
    name: 'audio for a claimed vibe, with another key',
    given: [post('/stream/{id}/start', json({ creator: 'ann', claim: true }))],
    send: post(`${AUDIO}?creator=ann`, pcm(CHUNK), { Authorization: `Bearer ${'A'.repeat(43)}` }),
    expect: { status: 403, code: 'wrong-owner-key' },
  },
  {
    name: 'the same number with the same audio again: acknowledged, and not played twice',
    given: [ONE],
    send: ONE,
    expect: { status: 202, body: /"accepted":0,"duplicate":true/ },
  },
  {
    name: 'the same number with other audio',
    given: [ONE],
    send: post(`${AUDIO}?sequence=100`, pcm(Buffer.alloc(3_840, 9))),
    expect: { status: 409, code: 'sequence-conflict' },
  },
  {
    name: 'a number of long ago',
    given: [post(`${AUDIO}?sequence=100`, pcm(TWO_SECONDS)), { state: 'live' }],
    send: post(`${AUDIO}?sequence=3`, pcm(CHUNK)),
    expect: { status: 410, code: 'too-late' },
  },
  {
    name: 'a number of far ahead',
    given: [ONE],
    send: post(`${AUDIO}?sequence=9007199254740991`, pcm(CHUNK)),
    expect: { status: 202 },
  },
  {
    name: 'more than the buffer holds',
    given: Array.from({ length: 15 }, () =>
      post(`${AUDIO}?sampleRate=8000&channels=1`, pcm(Buffer.alloc(32_000))),
    ),
    send: post(`${AUDIO}?sampleRate=8000&channels=1`, pcm(Buffer.alloc(64_000))),
    expect: {
      status: 429,
      code: 'buffer-full',
      headers: { 'retry-after': /^\d+$/ },
      body: /"bufferedMs":\d{5}/,
    },
  },
  {
    name: 'a chunk that no buffer could hold',
    send: post(`${AUDIO}?sampleRate=8000&channels=1&sequence=1`, pcm(Buffer.alloc(600_000))),
    expect: TOO_LARGE,
  },
];

/** Bodies that do not come as they were announced. The connection goes away, so nobody is answered. */
const BROKEN_ROWS: readonly Row[] = [
  {
    name: 'a stream that ends within a sample, after whole ones',
    send: chunked(AUDIO, `5\r\nabcde\r\n0\r\n\r\n`),
    expect: { ...TORN, changes: true },
  },
  {
    name: 'a stream whose next chunk is none: what came whole was played',
    send: chunked(AUDIO, '4\r\nabcd\r\nzz\r\n'),
    expect: { status: [0, 400], changes: true },
  },
];

export const AUDIO_ROWS: readonly Row[] = [
  ...PCM_ROWS,
  ...WAV_ROWS,
  ...JSON_ROWS,
  ...VIBE_ROWS,
  ...BROKEN_ROWS,
];
