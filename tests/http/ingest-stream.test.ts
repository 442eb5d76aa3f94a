import { eventually } from '../helpers/eventually';
import { wavHeader } from '../helpers/creators';
import { HttpHouse } from '../helpers/http-house';
import { RawConnection } from '../helpers/raw-http';

const SECOND = 192_000;

function pcm(bytes: number, seed = 0): Buffer {
  const audio = Buffer.allocUnsafe(bytes);
  for (let index = 0; index < bytes; index += 1) audio[index] = (index * 7 + (index >> 8) + seed) & 0xff;
  return audio;
}

/** One piece of a chunked body. */
function piece(bytes: Buffer): Buffer {
  return Buffer.concat([Buffer.from(`${bytes.length.toString(16)}\r\n`), bytes, Buffer.from('\r\n')]);
}

let http: HttpHouse;
let opened: RawConnection[];
beforeEach(async () => {
  opened = [];
  http = await HttpHouse.open();
});
afterEach(async () => {
  for (const connection of opened) connection.destroy();
  await http.close();
});

async function startPost(query = '', headers = 'Transfer-Encoding: chunked'): Promise<RawConnection> {
  const connection = await RawConnection.open(http.port);
  opened.push(connection);
  connection.send(
    `POST /stream/v/audio${query} HTTP/1.1\r\nHost: x\r\nContent-Type: audio/pcm\r\n${headers}\r\n\r\n`,
  );
  return connection;
}

const buffered = (ms: number) =>
  eventually(`${ms} ms buffered`, () => http.registry.get('v')?.bufferedMs === ms);

describe('a stream of audio', () => {
  it('is taken as it arrives, however it is cut, and answered at its end', async () => {
    const audio = pcm(96_000);
    const post = await startPost();
    for (let at = 0; at < audio.length; at += 10_007) post.send(piece(audio.subarray(at, at + 10_007)));
    await buffered(500);
    expect(post.received).toBe('');
    post.send('0\r\n\r\n');
    const [, body] = await post.until(/HTTP\/1\.1 202 [^]*\r\n\r\n(\{.*\})/);
    expect(JSON.parse(body as string)).toMatchObject({ success: true, accepted: 96_000, bufferedMs: 500 });
    expect((await http.playedOut()).subarray(0, audio.length).equals(audio)).toBe(true);
  });

  it('may be a long WAV with a length, and what follows its audio is not played', async () => {
    const audio = pcm(2_400_000);
    const body = Buffer.concat([wavHeader(audio.length), audio, Buffer.from('LIST\x04\0\0\0tags')]);
    const { status, json } = await http.post('/stream/v/audio', body, { 'content-type': 'audio/wav' });
    expect([status, json['accepted']]).toEqual([202, audio.length]);
    expect((await http.playedOut()).subarray(0, audio.length).equals(audio)).toBe(true);
  });

  it('has no bound on its whole time, only on pauses', async () => {
    const post = await startPost('?format=u8&sampleRate=8000&channels=1');
    const { clock } = http.house;
    const stepMs = 25_000;
    let sent = 0;
    for (let elapsedMs = 0; elapsedMs < 900_000; elapsedMs += stepMs) {
      post.send(piece(Buffer.alloc(stepMs * 8, 0x80)));
      sent += stepMs * 8;
      await eventually(
        'taken',
        async () => (await http.house.metric('vibesflow_ingest_bytes_total')) === sent,
        { everyMs: 1 },
      );
      clock.advance(stepMs);
    }
    expect(http.vibe().isOver).toBe(false);
    post.send('0\r\n\r\n');
    await post.until(new RegExp(`202 Accepted[^]*"accepted":${sent},`));
  });

  it('holds its sender back while there is no room, and loses nothing', async () => {
    await http.close();
    http = await HttpHouse.open({ maxBufferSeconds: 1 });
    const audio = pcm(SECOND * 90);
    const post = await startPost('', `Content-Length: ${audio.length}`);
    post.send(audio);
    await eventually('full', () => (http.registry.get('v')?.bufferedMs ?? 0) > 740);
    // Loopback sockets hold a few megabytes; the rest stays with the sender.
    const unsent: number[] = [];
    await eventually('the sender gets rid of no more', () => {
      unsent.unshift(post.unsentBytes);
      return unsent.length > 3 && unsent.slice(0, 4).every((bytes) => bytes === unsent[0]);
    });
    expect(unsent[0]).toBeGreaterThan(SECOND * 10);
    expect(http.vibe().bufferedMs).toBeLessThanOrEqual(1_000);
    await http.passTimeUntil(post.until(/202 Accepted/));
    const played = await http.playedOut();
    expect(played.subarray(0, audio.length).equals(audio)).toBe(true);
  });

  it.each([
    ['raw', 'audio/pcm'],
    ['a WAV', 'audio/wav'],
  ])('may be announced as a chunk, %s, and still be longer than the buffer', async (_name, contentType) => {
    await http.close();
    http = await HttpHouse.open({ maxBufferSeconds: 1 });
    const audio = pcm(SECOND * 3);
    const header = contentType === 'audio/wav' ? wavHeader(audio.length) : Buffer.alloc(0);
    const answer = http.post('/stream/v/audio', Buffer.concat([header, audio]), {
      'content-type': contentType,
    });
    const { status, json } = await http.passTimeUntil(answer);
    expect([status, json['accepted']]).toEqual([202, audio.length]);
    expect((await http.playedOut()).subarray(0, audio.length).equals(audio)).toBe(true);
  });

  it('that breaks off is played as far as it is whole, and the rest is counted', async () => {
    const post = await startPost('', 'Content-Length: 4000000');
    post.send(pcm(48_002));
    await buffered(250);
    post.reset();
    await eventually('counted', async () => {
      return (await http.house.metric('vibesflow_ingest_truncated_bytes_total')) === 4_000_000 - 48_000;
    });
    expect(http.vibe().isOver).toBe(false);
    expect((await http.post('/stream/v/audio', pcm(4_000))).status).toBe(202);
  });

  it('that ends within a sample is refused after everything whole is played', async () => {
    const post = await startPost();
    post.send(Buffer.concat([piece(pcm(19_203)), Buffer.from('0\r\n\r\n')]));
    await post.until(/HTTP\/1\.1 422 [^]*"code":"torn-sample"/);
    expect(http.vibe().bufferedMs).toBe(100);
    expect(await http.house.metric('vibesflow_ingest_truncated_bytes_total')).toBe(3);
  });

  it('without audio is refused', async () => {
    const post = await startPost();
    post.send('0\r\n\r\n');
    await post.until(/HTTP\/1\.1 422 [^]*"code":"empty-audio"/);
    expect(http.registry.get('v')).toBeUndefined();
  });

  it('may pause for less than a minute', async () => {
    const post = await startPost('?creator=ann');
    post.send(piece(pcm(4_000)));
    await buffered(21);
    http.house.clock.advance(29_000);
    post.send(piece(pcm(4_000)));
    await eventually(
      'taken',
      async () => (await http.house.metric('vibesflow_ingest_bytes_total')) === 8_000,
    );
    expect(post.received).toBe('');
  });

  it('whose first byte does not come for a minute is given up', async () => {
    const post = await startPost();
    await eventually('waiting', () => http.house.clock.pendingTimers > 1);
    http.house.clock.advance(61_000);
    await post.until(/HTTP\/1\.1 408 [^]*Connection: close[^]*"code":"request-timeout"/);
    // The rest of the body would be read for three seconds; then the connection is closed.
    await http.passTimeUntil(post.closed);
  });

  it('is superseded by a newer one of the same creator, without a break', async () => {
    const older = await startPost('?creator=ann');
    older.send(piece(pcm(19_200)));
    await buffered(100);
    const newer = await startPost('?creator=ann');
    newer.send(piece(pcm(19_200, 1)));
    await buffered(200);
    await older.until(/HTTP\/1\.1 409 [^]*Connection: close[^]*"code":"superseded"/);
    await http.passTimeUntil(older.closed);
    newer.send('0\r\n\r\n');
    await newer.until(/202 Accepted/);
    const played = await http.playedOut();
    expect(played.subarray(0, 38_400)).toEqual(Buffer.concat([pcm(19_200), pcm(19_200, 1)]));
    expect(http.house.encoders).toHaveLength(1);
  });

  it('that is superseded while it is held back hands over nothing more', async () => {
    await http.close();
    http = await HttpHouse.open({ maxBufferSeconds: 1 });
    const [first, second] = [pcm(SECOND * 3), pcm(SECOND / 2, 1)];
    const older = await startPost('?creator=ann');
    older.send(piece(first));
    await eventually('full', () => (http.registry.get('v')?.bufferedMs ?? 0) > 740);
    const newer = await startPost('?creator=ann');
    newer.send(Buffer.concat([piece(second), Buffer.from('0\r\n\r\n')]));
    await http.passTimeUntil(older.until(/HTTP\/1\.1 409 [^]*"code":"superseded"/));
    await http.passTimeUntil(newer.until(/202 Accepted/));
    const accepted = await http.house.metric('vibesflow_ingest_bytes_total');
    const played = (await http.playedOut()).subarray(0, accepted);
    const ofFirst = accepted - second.length;
    expect(ofFirst).toBeLessThan(first.length);
    expect(played.subarray(0, ofFirst).equals(first.subarray(0, ofFirst))).toBe(true);
    expect(played.subarray(ofFirst).equals(second)).toBe(true);
  });

  it('that breaks off while it is held back is played as far as it came', async () => {
    await http.close();
    http = await HttpHouse.open({ maxBufferSeconds: 1 });
    const audio = pcm(SECOND * 2);
    const post = await startPost('', 'Content-Length: 4000000');
    post.send(audio);
    post.end();
    await eventually('full', () => (http.registry.get('v')?.bufferedMs ?? 0) > 740);
    const counted = async (): Promise<void> => {
      await eventually(
        'counted',
        async () =>
          (await http.house.metric('vibesflow_ingest_truncated_bytes_total')) === 4_000_000 - audio.length,
      );
    };
    await http.passTimeUntil(counted());
    expect((await http.playedOut()).subarray(0, audio.length).equals(audio)).toBe(true);
  });

  it('ends with its vibe', async () => {
    const post = await startPost();
    post.send(piece(pcm(4_000)));
    await buffered(21);
    expect((await http.ask('/stream/v/end', { json: {} })).status).toBe(200);
    await post.until(/HTTP\/1\.1 409 [^]*"code":"vibe-ending"/);
  });

  it('with a number is one chunk: read whole, and at most 2 MiB', async () => {
    const post = await startPost('?sequence=3');
    post.send(piece(pcm(4_000)));
    post.send('0\r\n\r\n');
    await post.until(/HTTP\/1\.1 202 [^]*"sequence":3/);
    const long = await startPost('?sequence=4');
    long.send(piece(Buffer.alloc(2_097_153)));
    await long.until(/HTTP\/1\.1 413 [^]*"code":"too-large"/);
  });
});

describe('a short chunk that breaks off', () => {
  it('is played as far as it is whole, and the rest is counted', async () => {
    const post = await startPost('', 'Content-Length: 40000');
    post.send(pcm(19_203));
    await new Promise<void>((resolve) => setImmediate(resolve));
    post.end();
    await buffered(100);
    expect(await http.house.metric('vibesflow_ingest_truncated_bytes_total')).toBe(20_800);
  });

  it('is not played where it has a number: its sender will send it again', async () => {
    const post = await startPost('?sequence=1', 'Content-Length: 40000');
    post.send(pcm(19_203));
    post.end();
    await eventually('counted', async () => {
      return (await http.house.metric('vibesflow_ingest_truncated_bytes_total')) === 40_000;
    });
    const again = await http.post('/stream/v/audio?sequence=1', pcm(40_000));
    expect([again.status, again.json['accepted']]).toEqual([202, 40_000]);
  });
});
