import { playDemo } from '../../src/cli/demo';
import { RelayApi } from '../../src/cli/relay-api';
import { tuneBlock } from '../../src/cli/tune';
import { CapturedOutput } from '../helpers/captured-output';
import { eventually } from '../helpers/eventually';
import { FakeRelay } from '../helpers/fake-relay';

describe('the demo', () => {
  let relay: FakeRelay;
  beforeEach(async () => {
    relay = await FakeRelay.start();
  });
  afterEach(() => relay.close());

  it('plays the tune from its beginning, until told to stop', async () => {
    const controller = new AbortController();
    const playing = playDemo(new RelayApi(relay.url), new CapturedOutput(), controller.signal);
    await eventually('two blocks came', () => (relay.connections[0]?.chunks.length ?? 0) >= 2);
    controller.abort();
    await playing;
    expect(relay.connections[0]!.hello).toMatchObject({ creator: 'demo' });
    expect(relay.connections[0]!.chunks[1]!.equals(tuneBlock(1))).toBe(true);
  });

  it('says why it ended where it is refused', async () => {
    relay.onChunk = (connection) => connection.socket.close(4403, 'wrong-creator');
    const output = new CapturedOutput();
    await playDemo(new RelayApi(relay.url), output, new AbortController().signal);
    expect(output.stderr.text).toContain('The demo has ended: The relay refused: wrong-creator');
  });
});
