import { RelayApi } from '../../src/cli/relay-api';
import { VibeWatch } from '../../src/cli/vibe-watch';
import { eventually } from '../helpers/eventually';
import { FakeRelay } from '../helpers/fake-relay';

describe('a watch on a vibe', () => {
  let relay: FakeRelay;
  let watch: VibeWatch;
  beforeEach(async () => {
    relay = await FakeRelay.start();
  });
  afterEach(async () => {
    watch.close();
    await relay.close();
  });

  it('knows the state, the counts and the level from the events', async () => {
    relay.onEvents = (socket) => {
      const events = [
        {
          type: 'status',
          state: 'buffering',
          listeners: 1,
          level: { peakDbfs: -7, rmsDbfs: -20 },
          encoder: {},
        },
        { type: 'state', state: 'live', from: 'buffering' },
        { type: 'counts', listeners: 3, participantCount: 2 },
        { type: 'level', peakDbfs: -3, rmsDbfs: -12, signal: 'ok', bufferedMs: 900 },
        { type: 'encoder', state: 'backoff', from: 'running' },
      ];
      for (const event of events) socket.send(JSON.stringify(event));
      socket.send('not JSON');
      socket.send(JSON.stringify({ type: 'state', state: 'holding', from: 'live' }));
    };
    watch = new VibeWatch(new RelayApi(relay.url), 'hello');
    await eventually('the last event came', () => watch.now.state === 'holding');
    expect(watch.now).toEqual({
      state: 'holding',
      listeners: 3,
      participantCount: 2,
      peakDbfs: -3,
      rmsDbfs: -12,
      signal: 'ok',
      bufferedMs: 900,
      underruns: 1,
    });
  });

  it('connects again', async () => {
    let connections = 0;
    relay.onEvents = (socket) => {
      connections += 1;
      if (connections === 1) socket.terminate();
      else socket.send(JSON.stringify({ type: 'state', state: 'live', from: 'holding' }));
    };
    watch = new VibeWatch(new RelayApi(relay.url), 'hello');
    await eventually('it is there again', () => watch.now.state === 'live');
    expect(connections).toBe(2);
  });
});
