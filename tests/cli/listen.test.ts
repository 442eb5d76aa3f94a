import type { ServerResponse } from 'node:http';
import { Ear } from '../../src/cli/ear';
import { run } from '../../src/cli/program';
import { tuneWav } from '../../src/cli/tune';
import { CapturedOutput } from '../helpers/captured-output';
import { eventually } from '../helpers/eventually';
import { FakeRelay } from '../helpers/fake-relay';
import { FFMPEG, QUIET } from '../helpers/ffmpeg';
import { outputOf } from '../helpers/run-program';

describe('vibesflow listen', () => {
  let flv: Buffer;
  let relay: FakeRelay;
  let output: CapturedOutput;
  let isOver = true;
  let streams: ((response: ServerResponse) => void)[] = [];
  const whole = (response: ServerResponse): void => void response.end(flv);
  beforeAll(async () => {
    const args = [
      ...QUIET,
      '-f',
      'wav',
      '-i',
      'pipe:0',
      '-c:a',
      'aac',
      '-b:a',
      '128k',
      '-f',
      'flv',
      'pipe:1',
    ];
    flv = await outputOf(FFMPEG, args, { input: Buffer.concat([...tuneWav(1)]) });
  });
  beforeEach(async () => {
    relay = await FakeRelay.start();
    output = new CapturedOutput();
    isOver = true;
    relay.onRequest = ({ path }) => {
      if (path.endsWith('/join'))
        return {
          json: { leaseSeconds: 30, streamingUrl: `${relay.url}/live/hello.flv`, participantId: 'x' },
        };
      return { json: { state: isOver ? 'ended' : 'live' } };
    };
    relay.onStream = (path, response) => {
      const stream = path.endsWith('.flv') ? streams.shift() : undefined;
      stream?.(response);
      return stream !== undefined;
    };
  });
  afterEach(() => relay.close());
  const listen = (...args: string[]): Promise<number> =>
    run(['listen', 'hello', '--url', relay.url, ...args], output, process.env);
  const heard = (): Record<string, number> => JSON.parse(output.stdout.text) as Record<string, number>;

  it('joins, hears the stream to its end, leaves, and sums up', async () => {
    streams = [whole];
    expect(await listen('--json')).toBe(0);
    expect(heard()).toMatchObject({ vibeId: 'hello', reconnects: 0, backwards: 0 });
    expect(heard()['tags']).toBeGreaterThanOrEqual(47);
    expect(heard()['peakDbfs']).toBeGreaterThan(-40);
    expect(relay.asked('/leave')).toHaveLength(1);
    expect(relay.asked('/leave')[0]!.body).toEqual(relay.asked('/join')[0]!.body);
  });

  it('connects again while the vibe is not over', async () => {
    isOver = false;
    streams = [
      whole,
      (response) => {
        isOver = true;
        whole(response);
      },
    ];
    expect(await listen('--json')).toBe(0);
    expect(heard()).toMatchObject({ reconnects: 1 });
    expect(heard()['tags']).toBeGreaterThanOrEqual(94);
  });

  it('stops after so many seconds, though the stream goes on', async () => {
    streams = [(response) => void response.write(flv)];
    // Long enough for a second of audio to come, however busy the machine: the stream itself has no end.
    expect(await listen('--seconds', '1')).toBe(0);
    expect(output.stdout.text).toMatch(/1\.0 s of audio in \d+ tags, peak -\d+/);
  });

  it('ends with 130 on Ctrl-C before anything has come, too', async () => {
    let isOpen = false;
    streams = [(response) => void (response.flushHeaders(), (isOpen = true))];
    const listened = listen('--json');
    await eventually('the stream is open', () => isOpen);
    process.emit('SIGINT');
    expect(await listened).toBe(130);
  });

  it('ends in order on Ctrl-C, with exit code 130', async () => {
    let isOpen = false;
    streams = [(response) => void (isOpen = response.write(flv) || true)];
    const listened = listen('--json');
    await eventually('the stream is open', () => isOpen);
    process.emit('SIGINT');
    expect(await listened).toBe(130);
    expect(relay.asked('/leave')).toHaveLength(1);
  });

  it('says that nothing was heard, and why, with exit code 69', async () => {
    streams = [(response) => void response.writeHead(404).end()];
    expect(await listen()).toBe(69);
    expect(output.stderr.text).toMatch(/Nothing was heard: .*hello\.flv answered 404\n$/);
  });

  it('says that there is no such vibe', async () => {
    relay.onRequest = () => ({
      status: 404,
      json: { code: 'vibe-not-found', detail: 'There is no vibe hello.' },
    });
    expect(await listen()).toBe(69);
    expect(output.stderr.text).toBe('The relay refused (404 vibe-not-found): There is no vibe hello.\n');
  });
});

describe('the ear', () => {
  it('can be closed when its FFmpeg never ran', async () => {
    const ear = new Ear('/nowhere/ffmpeg');
    ear.hear(Buffer.alloc(10));
    await ear.close();
    await ear.close();
    expect(ear.latest).toBeUndefined();
  });
});
