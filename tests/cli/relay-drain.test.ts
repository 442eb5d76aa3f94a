import { DRAIN_BUDGET_MS } from '../../src/app';
import { DRAINED_WITHIN_MS, relayDrained } from '../../src/cli/relay-drain';
import { eventually } from '../helpers/eventually';
import { FakeRelay } from '../helpers/fake-relay';

describe('SRS’s supervisor, told to stop together with the relay', () => {
  let relay: FakeRelay;
  let isOver: boolean;
  let waits: number;
  beforeEach(async () => {
    relay = await FakeRelay.start();
    isOver = false;
    waits = 0;
  });
  afterEach(() => relay.close());
  const draining = { status: 503, json: { code: 'not-ready', failing: ['accepting'] } };
  const wait = (options: { toldTogetherMs?: number; withinMs?: number } = {}): Promise<void> =>
    relayDrained({ url: relay.url, onWait: () => (waits += 1), ...options }).then(() => {
      isOver = true;
    });

  it('waits until a relay that plays out its tails has closed its doors', async () => {
    relay.onRequest = () => draining;
    const waiting = wait({ toldTogetherMs: 0 });
    await eventually('it looked some times', () => relay.asked('/ready').length >= 3);
    expect({ isOver, waits }).toEqual({ isOver: false, waits: 1 });
    await relay.restart(() => waiting);
  });

  it('gives a relay a moment to say that it was told, too', async () => {
    relay.onRequest = () => (relay.asked('/ready').length < 3 ? undefined : draining);
    const waiting = wait({ toldTogetherMs: 60_000 });
    await eventually('it waits', () => waits === 1);
    // Back after a restart: nothing plays out any more.
    relay.onRequest = () => undefined;
    await waiting;
  });

  it('leaves a relay that goes on running to itself', async () => {
    await wait({ toldTogetherMs: 10 });
    expect(waits).toBe(0);
  });

  it('waits for no relay that is not there, nor for one that never ends', async () => {
    relay.onRequest = () => draining;
    await wait({ withinMs: 10 });
    await relayDrained({ url: 'http://127.0.0.1:1', toldTogetherMs: 60_000 });
  });

  it('has more time than tails may take', () => {
    expect(DRAINED_WITHIN_MS).toBeGreaterThan(DRAIN_BUDGET_MS);
  });
});
