import { PostSender } from '../../src/cli/post-sender';
import { RelayApi } from '../../src/cli/relay-api';
import { eventually } from '../helpers/eventually';
import { type Answer, FakeRelay } from '../helpers/fake-relay';

const block = (number: number): Buffer => Buffer.alloc(3_840, number);

describe('a sender on the POST door', () => {
  let relay: FakeRelay;
  let sender: PostSender;
  beforeEach(async () => {
    relay = await FakeRelay.start();
    sender = new PostSender({
      api: new RelayApi(relay.url),
      vibeId: 'hello',
      creator: 'ana',
      firstSequence: 7,
    });
  });
  afterEach(async () => {
    sender.close();
    await relay.close();
  });
  const sendAll = async (count: number): Promise<void> => {
    for (let number = 0; number < count; number += 1) await sender.send(block(number));
    await sender.finish();
  };

  it('posts half a second at a time, numbered', async () => {
    await sendAll(30);
    expect(relay.requests.map(({ body }) => body.length)).toEqual([96_000, 19_200]);
    expect(relay.requests.map(({ query }) => query.get('sequence'))).toEqual(['7', '8']);
    expect(Object.fromEntries(relay.requests[0]!.query)).toMatchObject({
      creator: 'ana',
      format: 's16le',
      sampleRate: '48000',
      channels: '2',
    });
    expect(sender.report.acknowledgedMs).toBe(600);
  });

  it.each<[string, Answer]>([
    ['the buffer is full', { status: 429, json: { code: 'buffer-full' }, headers: { 'retry-after': '0' } }],
    ['the relay restarts', { status: 503, json: { code: 'draining' } }],
  ])('tries the same number again when %s', async (_when, refusal) => {
    relay.onRequest = () => (relay.requests.length === 1 ? refusal : undefined);
    await sendAll(1);
    expect(relay.requests.map(({ query }) => query.get('sequence'))).toEqual(['7', '7']);
    expect(relay.requests[1]!.body.equals(block(0))).toBe(true);
  });

  it.each<[string, Answer, string[]]>([
    ['takes along into its death: its journal knows what was played', { json: { sequence: 8 } }, ['9', '10']],
    ['holds: it was only the network that was away', { json: { sequence: 9 } }, ['10']],
    ['played when it stopped in order: the vibe is another one', { json: { sequence: 0 } }, ['10']],
    ['played when it stopped in order: there is no vibe', { status: 404 }, ['10']],
  ])('sends again what a relay took and %s', async (_what, status, sent) => {
    relay.onRequest = ({ path }) => (path.endsWith('/audio') ? { json: { bufferedMs: 100 } } : status);
    for (let number = 0; number < 75; number += 1) await sender.send(block(number));
    const sendRest = async (): Promise<void> => {
      for (let number = 75; number < 100; number += 1) await sender.send(block(number));
    };
    let rest: Promise<void> | undefined;
    await relay.restart(async () => {
      rest = sendRest();
      await eventually('it has noticed', () => sender.report.reconnects > 0, { everyMs: 2 });
    });
    await rest;
    const numbers = relay.asked('/audio').map(({ query }) => query.get('sequence'));
    expect(numbers).toEqual(['7', '8', '9', ...sent]);
    expect(sender.report.acknowledgedMs).toBe(2_000);
  });

  it('gives up where it is refused for good', async () => {
    relay.onRequest = () => ({ status: 403, json: { code: 'wrong-creator', detail: 'Not yours.' } });
    await expect(sendAll(1)).rejects.toMatchObject({ exitCode: 69, status: 403 });
    expect(relay.requests).toHaveLength(1);
  });
});
