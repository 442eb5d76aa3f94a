import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { run } from '../../src/cli/program';
import { tuneWav } from '../../src/cli/tune';
import { CapturedOutput } from '../helpers/captured-output';
import { eventually } from '../helpers/eventually';
import { FakeRelay } from '../helpers/fake-relay';

describe('vibesflow publish', () => {
  const directory = mkdtempSync(path.join(os.tmpdir(), 'vibesflow-publish-'));
  const wav = path.join(directory, 'tune.wav');
  const pcm = Buffer.concat([...tuneWav(0.8)].slice(1));
  let relay: FakeRelay;
  let output: CapturedOutput;
  beforeAll(() => writeFileSync(wav, Buffer.concat([...tuneWav(0.8)])));
  afterAll(() => rmSync(directory, { recursive: true }));
  beforeEach(async () => {
    relay = await FakeRelay.start();
    output = new CapturedOutput();
  });
  afterEach(() => relay.close());
  const publish = (input: string, ...args: string[]): Promise<number> =>
    run(['publish', input, '--vibe', 'hello', '--url', relay.url, ...args], output, process.env);
  const json = (end: string): unknown => JSON.parse(relay.asked(end)[0]!.body.toString());

  it('starts the vibe, sends every sample, ends it with the rest played out, and sums up', async () => {
    expect(await publish(wav, '--creator', 'ana', '--title', 'Friday')).toBe(0);
    expect(json('/start')).toEqual({ creator: 'ana', title: 'Friday' });
    expect(relay.connections[0]!.received.equals(pcm)).toBe(true);
    expect(json('/end')).toEqual({ creator: 'ana', drain: true });
    expect(output.stderr.text).toMatch(
      /0\.8 s sent and acknowledged, 0 reconnects, longest wait .* ms, 0 underruns/,
    );
  });

  it.each(['websocket', 'post'])('shows its token at every door, by %s', async (door) => {
    expect(await publish(wav, '--door', door, '--token', 'tok-en')).toBe(0);
    expect(relay.authorizations.length).toBeGreaterThan(3);
    expect(new Set(relay.authorizations)).toEqual(new Set(['Bearer tok-en']));
  });

  it('sends the same through the POST door', async () => {
    expect(await publish(wav, '--door', 'post')).toBe(0);
    expect(Buffer.concat(relay.asked('/audio').map(({ body }) => body)).equals(pcm)).toBe(true);
  });

  it('leaves the vibe open where it is asked to', async () => {
    expect(await publish(wav, '--no-end')).toBe(0);
    expect(relay.asked('/end')).toEqual([]);
  });

  it('starts nothing for a file that cannot be read', async () => {
    expect(await publish(path.join(directory, 'none.wav'))).toBe(65);
    expect(output.stderr.text).toMatch(/there is no such file\n$/);
    expect(relay.requests).toEqual([]);
  });

  it('passes on the relay’s refusal with exit code 69', async () => {
    relay.onRequest = () => ({ status: 409, json: { code: 'creator-conflict', detail: 'Held by another.' } });
    expect(await publish(wav)).toBe(69);
    expect(output.stderr.text).toBe('The relay refused (409 creator-conflict): Held by another.\n');
  });

  it('ends in order on Ctrl-C, with exit code 130', async () => {
    const published = publish(wav, '--loop');
    await eventually('audio comes in', () => (relay.connections[0]?.chunks.length ?? 0) > 0);
    process.emit('SIGINT');
    expect(await published).toBe(130);
    expect(json('/end')).toMatchObject({ drain: true });
    expect(process.listenerCount('SIGINT')).toBe(0);
  });

  it.each(['websocket', 'post'])(
    'gives the vibe its title again where the relay was restarted (door %s)',
    async (door) => {
      const audio = (): number =>
        relay.asked('/audio').length + (relay.connections.at(-1)?.chunks.length ?? 0);
      const published = publish(wav, '--creator', 'ana', '--title', 'Friday', '--loop', '--door', door);
      await eventually('audio comes in', () => audio() > 0);
      let isKnown = false;
      let watchers = 0;
      relay.onRequest = ({ method, path: asked }) => {
        isKnown ||= asked.endsWith('/start');
        return method === 'GET' && !isKnown ? { status: 404 } : undefined;
      };
      await relay.restart(async () => {
        await eventually('the loss is noticed', () => output.stderr.text.includes('rying again'));
        relay.connections.length = 0;
        relay.requests.length = 0;
        relay.onEvents = () => (watchers += 1);
      });
      await eventually('the vibe is started anew', () => relay.asked('/start').length === 1);
      await eventually('audio comes in again', () => audio() > 0);
      await eventually('the vibe’s events are followed again', () => watchers === 1);
      process.emit('SIGINT');
      expect(await published).toBe(130);
      expect(json('/start')).toEqual({ creator: 'ana', title: 'Friday' });
    },
    15_000,
  );
});
