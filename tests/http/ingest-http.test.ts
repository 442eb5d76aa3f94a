import { wavHeader } from '../helpers/creators';
import { HttpHouse } from '../helpers/http-house';
import { RawConnection } from '../helpers/raw-http';

/** Audio that is never twice the same. */
function pcm(bytes: number): Buffer {
  return Buffer.from(Array.from({ length: bytes }, (_, index) => (index * 7 + (index >> 8)) & 0xff));
}

const AUDIO = pcm(4096 * 3);

let http: HttpHouse;
beforeEach(async () => (http = await HttpHouse.open()));
afterEach(() => http.close());

describe('a short chunk of audio', () => {
  it('starts the vibe, is played byte for byte, and gets a receipt', async () => {
    const { status, json } = await http.post('/stream/v/audio?creator=ann', AUDIO);
    expect(status).toBe(202);
    expect(json).toEqual({
      success: true,
      vibeId: 'v',
      accepted: AUDIO.length,
      bufferedMs: 64,
      sequence: 1,
      state: 'buffering',
      isStreaming: false,
      participantCount: 0,
      timestamp: http.house.clock.epochMs(),
    });
    expect(http.vibe().creator).toBe('ann');
    expect((await http.playedOut()).subarray(0, AUDIO.length)).toEqual(AUDIO);
  });

  it.each([
    ['audio/pcm', '', 's16le 48000 2'],
    ['audio/L16; Channels=1 ;RATE="44100"', '', 's16le 44100 1'],
    ['AUDIO/PCM;endian=big;rate=8000;', '', 's16be 8000 2'],
    ['application/octet-stream', '?format=f32le&sampleRate=192000&channels=8', 'f32le 192000 8'],
    ['application/octet-stream', '?format=s16&endian=big', 's16be 48000 2'],
    ['application/octet-stream', '?format=S24BE&channels=1', 's24be 48000 1'],
    ['application/octet-stream', '?format=pcm_s32le', 's32le 48000 2'],
    ['application/octet-stream', '?format=float32', 'f32le 48000 2'],
    ['application/octet-stream', '?format=u8&endian=big', 'u8 48000 2'],
    ['audio/pcm;rate=44100', '?sampleRate=22050', 's16le 22050 2'],
    ['', '', 's16le 48000 2'],
  ])('sent as "%s" with %s is %s', async (contentType, query, expected) => {
    const { status } = await http.post(`/stream/v/audio${query}`, AUDIO, { 'content-type': contentType });
    expect(status).toBe(202);
    const { sampleFormat, sampleRate, channels } = http.vibe().format ?? {};
    expect(`${sampleFormat} ${sampleRate} ${channels}`).toBe(expected);
  });

  it('may be a WAV, whose header gives the format', async () => {
    const { status, json } = await http.post(
      '/stream/v/audio',
      Buffer.concat([wavHeader(AUDIO.length), AUDIO]),
      {
        'content-type': 'audio/x-wav',
      },
    );
    expect([status, json['accepted']]).toEqual([202, AUDIO.length]);
    expect((await http.playedOut()).subarray(0, AUDIO.length)).toEqual(AUDIO);
  });

  it.each(['audioData', 'data', 'audio'])(
    'may be base64 in the member %s of a JSON object',
    async (member) => {
      const body = {
        [member]: AUDIO.toString('base64'),
        creator: 'ann',
        sequence: 4,
        unknown: { more: [1] },
      };
      const { status, json } = await http.ask('/stream/v/audio', { json: body });
      expect([status, json['accepted'], json['sequence']]).toEqual([202, AUDIO.length, 4]);
      expect(http.vibe().creator).toBe('ann');
      expect((await http.playedOut()).subarray(0, AUDIO.length)).toEqual(AUDIO);
    },
  );

  it('may be a Lyria message, whose chunks are played in order', async () => {
    const chunk = (from: number, to: number) => ({
      data: AUDIO.subarray(from, to).toString('base64'),
      mimeType: 'audio/l16;rate=48000;channels=2',
    });
    const { status } = await http.ask('/stream/v/audio', {
      json: { serverContent: { audioChunks: [chunk(0, 4000), chunk(4000, AUDIO.length)] } },
    });
    expect(status).toBe(202);
    expect((await http.playedOut()).subarray(0, AUDIO.length)).toEqual(AUDIO);
  });

  it('may be a WAV within JSON, and mono by JSON members', async () => {
    const wav = Buffer.concat([wavHeader(AUDIO.length), AUDIO]).toString('base64');
    expect((await http.ask('/stream/a/audio', { json: { audio: wav, mimeType: 'audio/wav' } })).status).toBe(
      202,
    );
    const mono = { audioData: AUDIO.toString('base64'), sampleRate: 24_000, channels: 1, format: 's16le' };
    expect((await http.ask('/stream/b/audio', { json: mono })).status).toBe(202);
    expect(http.vibe('b').format).toEqual({ sampleFormat: 's16le', sampleRate: 24_000, channels: 1 });
    const plain = { audioData: AUDIO.toString('base64') };
    await http.ask('/stream/byUrl/audio?sampleRate=16000&channels=1', { json: plain });
    expect(http.vibe('byUrl').format).toEqual({ sampleFormat: 's16le', sampleRate: 16_000, channels: 1 });
  });

  it('with a known number is acknowledged and not played twice', async () => {
    await http.post('/stream/v/audio?sequence=7', AUDIO);
    const again = await http.post('/stream/v/audio', AUDIO, { 'x-sequence': '7' });
    expect(again.status).toBe(202);
    expect(again.json).toMatchObject({ accepted: 0, duplicate: true, sequence: 7, bufferedMs: 64 });
    const other = await http.post('/stream/v/audio?sequence=7', Buffer.alloc(AUDIO.length));
    expect([other.status, other.json['code']]).toEqual([409, 'sequence-conflict']);
  });

  it('that finds no room is refused whole, with the time to wait', async () => {
    await http.close();
    http = await HttpHouse.open({ maxBufferSeconds: 1 });
    expect((await http.post('/stream/v/audio', pcm(160_000))).status).toBe(202);
    const { status, headers, json } = await http.post('/stream/v/audio', pcm(96_000));
    expect([status, json['code']]).toEqual([429, 'buffer-full']);
    expect(Number(headers['retry-after'])).toBeGreaterThanOrEqual(1);
    expect(json['bufferedMs']).toBe(http.vibe().bufferedMs);
    expect(http.vibe().bufferedMs).toBe(833);
  });

  it('that could never find room is too large, and starts no vibe', async () => {
    await http.close();
    http = await HttpHouse.open({ maxBufferSeconds: 1 });
    const audio = Buffer.alloc(192_004);
    const numbered = await http.post('/stream/v/audio?sequence=1', audio);
    expect([numbered.status, numbered.json['code']]).toEqual([413, 'too-large']);
    const json = await http.ask('/stream/v/audio', { json: { audioData: audio.toString('base64') } });
    expect([json.status, json.json['code']]).toEqual([413, 'too-large']);
    expect(http.registry.get('v')).toBeUndefined();
  });

  it('needs the owner key of a claimed vibe', async () => {
    const { json } = await http.ask('/stream/v/start', { json: { creator: 'ann', claim: true } });
    const bare = await http.post('/stream/v/audio?creator=ann', AUDIO);
    expect([bare.status, bare.json['code'], bare.headers['www-authenticate']]).toEqual([
      401,
      'unauthorized',
      'Bearer',
    ]);
    const wrong = await http.post('/stream/v/audio', AUDIO, { authorization: 'Bearer guess' });
    expect([wrong.status, wrong.json['code']]).toEqual([403, 'wrong-owner-key']);
    const right = await http.post('/stream/v/audio', AUDIO, {
      authorization: `Bearer ${String(json['ownerKey'])}`,
    });
    expect(right.status).toBe(202);
  });

  it('takes the name of a creator beyond ASCII from a header', async () => {
    const name = Buffer.from('Zoë ☕').toString('latin1');
    expect((await http.post('/stream/v/audio', AUDIO, { 'x-creator': name })).status).toBe(202);
    expect(http.vibe().creator).toBe('Zoë ☕');
  });
});

describe('the audio door refuses', () => {
  const base64 = AUDIO.toString('base64');
  const json = (value: unknown): [string, string] => ['application/json', JSON.stringify(value)];
  const wav = (change: (header: Buffer) => void): Buffer => {
    const header = wavHeader(8);
    change(header);
    return Buffer.concat([header, Buffer.alloc(8)]);
  };

  it.each<[string, string, string, Buffer | string, number, string]>([
    ['an unknown type', '', 'video/mp4', AUDIO, 415, 'unsupported-format'],
    ['a type that is none', '', 'nonsense', AUDIO, 415, 'unsupported-format'],
    ['an unknown format', '?format=alaw', 'audio/pcm', AUDIO, 415, 'unsupported-format'],
    ['a rate that is too low', '?sampleRate=7999', 'audio/pcm', AUDIO, 415, 'unsupported-format'],
    ['a rate that is too high', '', 'audio/pcm;rate=192001', AUDIO, 415, 'unsupported-format'],
    ['a rate with a fraction', '?sampleRate=44100.5', 'audio/pcm', AUDIO, 415, 'unsupported-format'],
    ['a rate in words', '?sampleRate=fast', 'audio/pcm', AUDIO, 415, 'unsupported-format'],
    ['no channels', '?channels=0', 'audio/pcm', AUDIO, 415, 'unsupported-format'],
    ['nine channels', '?channels=9', 'audio/pcm', AUDIO, 415, 'unsupported-format'],
    ['a middle-endian order', '?endian=middle', 'audio/pcm', AUDIO, 415, 'unsupported-format'],
    ['a contradiction', '?format=s16le&endian=big', 'audio/pcm', AUDIO, 415, 'unsupported-format'],
    [
      'a parameter that stands there twice',
      '?channels=1&channels=2',
      'audio/pcm',
      AUDIO,
      400,
      'invalid-field',
    ],
    ['an odd byte', '', 'audio/pcm', pcm(4097), 422, 'torn-sample'],
    ['half a sample of two channels', '', 'audio/pcm', pcm(4098), 422, 'torn-sample'],
    ['nothing', '', 'audio/pcm', '', 422, 'empty-audio'],
    ['a negative number', '?sequence=-1', 'audio/pcm', AUDIO, 400, 'invalid-sequence'],
    ['a broken number', '?sequence=1.5', 'audio/pcm', AUDIO, 400, 'invalid-sequence'],
    ['a number beyond 2^53', '?sequence=9007199254740993', 'audio/pcm', AUDIO, 400, 'invalid-sequence'],
    ['an empty number', '?sequence=', 'audio/pcm', AUDIO, 400, 'invalid-sequence'],
    ['a creator with control characters', '?creator=a%1bb', 'audio/pcm', AUDIO, 400, 'invalid-field'],
    ['a creator that is too long', `?creator=${'x'.repeat(257)}`, 'audio/pcm', AUDIO, 400, 'invalid-field'],
    ['a numbered chunk above 2 MiB', '?sequence=1', 'audio/pcm', Buffer.alloc(2_097_156), 413, 'too-large'],
    ['JSON above 2 MiB', '', 'application/json', Buffer.alloc(2_097_153, 0x20), 413, 'too-large'],
    ['broken JSON', '', 'application/json', '{"audioData":', 400, 'invalid-json'],
    ['JSON that is nested without end', '', 'application/json', '['.repeat(10_000), 400, 'invalid-json'],
    ['an array', '', ...json([1]), 400, 'invalid-field'],
    ['nested arrays', '', 'application/json', '['.repeat(9_000) + ']'.repeat(9_000), 400, 'invalid-field'],
    ['JSON without audio', '', ...json({ creator: 'ann' }), 400, 'invalid-field'],
    ['audio that is no string', '', ...json({ audioData: 7 }), 400, 'invalid-field'],
    [
      'illegal characters',
      '',
      ...json({ audioData: `${base64.slice(0, -4)}AA*A` }),
      400,
      'invalid-audio-data',
    ],
    [
      'white space',
      '',
      ...json({ audioData: `${base64.slice(0, 4)}\n${base64.slice(4)}` }),
      400,
      'invalid-audio-data',
    ],
    ['URL-safe base64', '', ...json({ audioData: 'AA-_AAAA' }), 400, 'invalid-audio-data'],
    ['missing padding', '', ...json({ audioData: 'AAAAAA' }), 400, 'invalid-audio-data'],
    ['padding in the middle', '', ...json({ audioData: 'AA==AAAA' }), 400, 'invalid-audio-data'],
    ['stray bits', '', ...json({ audioData: 'AAAAAB==' }), 400, 'invalid-audio-data'],
    ['empty base64', '', ...json({ audioData: '' }), 422, 'empty-audio'],
    ['a torn sample in base64', '', ...json({ audioData: 'AAAA' }), 422, 'torn-sample'],
    ['a number as a string', '', ...json({ audioData: base64, sequence: '7' }), 400, 'invalid-sequence'],
    [
      'a mime type of something else',
      '',
      ...json({ audioData: base64, mimeType: 'image/png' }),
      415,
      'unsupported-format',
    ],
    [
      'JSON within JSON',
      '',
      ...json({ audioData: base64, mimeType: 'application/json' }),
      415,
      'unsupported-format',
    ],
    ['an empty Lyria message', '', ...json({ serverContent: { audioChunks: [] } }), 400, 'invalid-field'],
    ['what is no WAV', '', 'audio/wav', AUDIO, 400, 'invalid-audio-data'],
    [
      'a WAV that ends in its header',
      '',
      'audio/wav',
      wavHeader(0).subarray(0, 30),
      400,
      'invalid-audio-data',
    ],
    [
      'a WAV of A-law',
      '',
      'audio/wav',
      wav((header) => header.writeUInt16LE(6, 20)),
      415,
      'unsupported-format',
    ],
    [
      'a WAV with nine channels',
      '',
      'audio/wav',
      wav((header) => header.writeUInt16LE(9, 22)),
      415,
      'unsupported-format',
    ],
    ['a WAV without audio', '', 'audio/wav', wavHeader(0), 422, 'empty-audio'],
    ['a WAV with a torn sample', '', 'audio/wav', Buffer.concat([wavHeader(6), pcm(6)]), 422, 'torn-sample'],
  ])('%s', async (_what, query, contentType, body, status, code) => {
    const answer = await http.ask(`/stream/v/audio${query}`, {
      method: 'POST',
      body,
      headers: { 'content-type': contentType },
    });
    expect([answer.status, answer.json['code']]).toEqual([status, code]);
    expect(answer.headers['content-type']).toContain('application/problem+json');
    // A refused first chunk starts nothing.
    expect(http.registry.get('v')).toBeUndefined();
    expect(http.house.encoders).toHaveLength(0);
  });

  it('compressed bodies', async () => {
    const answer = await http.post('/stream/v/audio', AUDIO, { 'content-encoding': 'gzip' });
    expect([answer.status, answer.json['code']]).toEqual([415, 'unsupported-format']);
  });

  it.each(['/stream/v/audio', '/stream/%76/audio', '/stream/v/start'])(
    'a body that is compressed on its way, which would sound as noise: %s',
    async (path) => {
      const connection = await RawConnection.open(http.port);
      const head = `POST ${path} HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip, chunked`;
      connection.send(`${head}\r\n\r\n4\r\nabcd\r\n0\r\n\r\n`);
      await connection.until(/^HTTP\/1\.1 415 [^]*"code":"unsupported-format"/);
      connection.destroy();
      expect(http.registry.get('v')).toBeUndefined();
    },
  );

  it('another creator, another format, and a vibe that ends', async () => {
    await http.post('/stream/v/audio?creator=ann', AUDIO);
    const cases: [string, number, string][] = [
      ['?creator=bob', 403, 'wrong-creator'],
      ['', 403, 'wrong-creator'],
      ['?creator=ann&channels=1', 409, 'format-changed'],
    ];
    for (const [query, status, code] of cases) {
      const answer = await http.post(`/stream/v/audio${query}`, AUDIO);
      expect([query, answer.status, answer.json['code']]).toEqual([query, status, code]);
    }
    void http.vibe().end({ drain: true, cause: 'test' });
    const late = await http.post('/stream/v/audio?creator=ann', AUDIO);
    expect([late.status, late.json['code']]).toEqual([409, 'vibe-ending']);
    expect(http.vibe().lastSequence).toBe(1);
  });

  it('vibes beyond MAX_STREAMS, and everything while it drains', async () => {
    await http.close();
    http = await HttpHouse.open({ maxStreams: 1 });
    await http.post('/stream/a/audio', AUDIO);
    const full = await http.post('/stream/b/audio', AUDIO);
    expect([full.status, full.json['code'], full.headers['retry-after']]).toEqual([
      503,
      'too-many-vibes',
      '10',
    ]);
    const drained = http.registry.drain(60_000);
    const draining = await http.post('/stream/a/audio', AUDIO);
    expect([draining.status, draining.json['code']]).toEqual([503, 'draining']);
    await http.passTimeUntil(drained);
  });
});
