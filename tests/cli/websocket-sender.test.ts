import { blockMs } from '../../src/cli/sender';
import { WebSocketSender } from '../../src/cli/websocket-sender';
import { eventually } from '../helpers/eventually';
import { FakeRelay } from '../helpers/fake-relay';

const BLOCK = 3_840;
/** Blocks of 20 ms that can be told apart. */
const block = (number: number): Buffer => Buffer.alloc(BLOCK, number);
const blocks = (count: number): Buffer => Buffer.concat(Array.from({ length: count }, (_, n) => block(n)));

describe('a sender on the WebSocket door', () => {
  let relay: FakeRelay;
  let sender: WebSocketSender;
  const notes: string[] = [];
  const connect = (options: { aheadMs?: number } = {}): WebSocketSender => {
    const url = `${relay.url.replace('http', 'ws')}/stream/hello/audio`;
    return (sender = new WebSocketSender({
      url,
      creator: 'ana',
      onNote: (note) => notes.push(note),
      ...options,
    }));
  };
  const sendAll = async (count: number, from = 0): Promise<void> => {
    for (let number = from; number < from + count; number += 1) await sender.send(block(number));
  };
  beforeEach(async () => {
    notes.length = 0;
    relay = await FakeRelay.start();
  });
  afterEach(async () => {
    sender.close();
    await relay.close();
  });

  it('says who it is, sends everything in order and waits for the receipts', async () => {
    connect();
    await sendAll(20);
    await sender.finish();
    expect(relay.connections).toHaveLength(1);
    expect(relay.connections[0]!.hello).toEqual({
      type: 'hello',
      format: 's16le',
      sampleRate: 48_000,
      channels: 2,
      creator: 'ana',
    });
    expect(relay.connections[0]!.received.equals(blocks(20))).toBe(true);
    expect(sender.report).toMatchObject({ acknowledgedMs: 400, reconnects: 0 });
  });

  it('runs no further ahead than it was told', async () => {
    relay.onChunk = (connection) => connection.acknowledge(undefined, blockMs(connection.received.length));
    connect({ aheadMs: 100 });
    const startMs = performance.now();
    await sendAll(10);
    // 200 ms of audio, 100 ms of them ahead, and the last block may go out at 80: some 80 to 100 ms must pass.
    expect(performance.now() - startMs).toBeGreaterThan(60);
  });

  it('sends again what was not acknowledged when the connection broke, from the very byte', async () => {
    relay.onChunk = (connection) => {
      if (relay.connections.length > 1) connection.acknowledge();
      else if (connection.chunks.length === 5) connection.acknowledge(2 * BLOCK + 40);
      else if (connection.chunks.length === 8) connection.socket.terminate();
    };
    connect();
    await sendAll(12);
    await sender.finish();
    expect(relay.connections).toHaveLength(2);
    expect(relay.connections[1]!.received.equals(blocks(12).subarray(2 * BLOCK + 40))).toBe(true);
    expect(sender.report).toMatchObject({ acknowledgedMs: 240, reconnects: 1 });
    expect(notes).toEqual([expect.stringContaining('Connection lost')]);
  });

  it('does not send again what the relay took without its receipt coming back', async () => {
    relay.readySequence = () => (relay.connections.length > 1 ? 105 : 100);
    relay.onChunk = (connection) => {
      if (relay.connections.length > 1) connection.acknowledge();
      else if (connection.chunks.length === 8) connection.socket.terminate();
    };
    connect();
    await sendAll(12);
    await sender.finish();
    expect(relay.connections[1]!.received.equals(blocks(12).subarray(5 * BLOCK))).toBe(true);
    expect(sender.report).toMatchObject({ acknowledgedMs: 240, reconnects: 1 });
  });

  it('sends everything again where the relay has forgotten the vibe', async () => {
    relay.readySequence = () => (relay.connections.length > 1 ? 0 : 100);
    relay.onChunk = (connection) => {
      if (relay.connections.length > 1) connection.acknowledge();
      else connection.socket.terminate();
    };
    connect();
    await sendAll(4);
    await sender.finish();
    expect(relay.connections[1]!.received.equals(blocks(4))).toBe(true);
  });

  it('sends again what a relay took along into its death: it says how many chunks it had played', async () => {
    relay.readySequence = () => (relay.connections.length > 1 ? 103 : 100);
    relay.onChunk = (connection) => {
      const { length } = connection.chunks;
      const isSecond = relay.connections.length > 1;
      // It holds all that it took: nothing but the 500 ms before may have been played.
      const held = { accepted: connection.received.length, bufferedMs: 20 * length };
      if (isSecond || length <= 6)
        connection.say({ type: 'ack', sequence: (isSecond ? 103 : 100) + length, ...held });
      if (!isSecond && length === 8) connection.socket.terminate();
    };
    connect();
    await sendAll(12);
    await sender.finish();
    // Six were acknowledged, three of them played.
    expect(relay.connections[1]!.received.equals(blocks(12).subarray(3 * BLOCK))).toBe(true);
    expect(sender.report).toMatchObject({ acknowledgedMs: 240, reconnects: 1 });
  });

  it('does not send again what a relay that stops in order plays out', async () => {
    relay.readySequence = () => (relay.connections.length > 1 ? 0 : 1);
    relay.onChunk = (connection) => {
      const { length } = connection.chunks;
      connection.say({
        type: 'ack',
        sequence: length,
        accepted: connection.received.length,
        bufferedMs: 1_000,
      });
      if (relay.connections.length === 1 && length === 3) connection.socket.close(1012, 'restarting');
    };
    connect();
    await sendAll(3);
    await eventually('it is back', () => relay.connections.length === 2);
    await sender.send(block(3));
    await sender.finish();
    expect(relay.connections[1]!.received.equals(block(3))).toBe(true);
  });

  it('comes again when the relay restarts', async () => {
    relay.onChunk = (connection) => {
      if (relay.connections.length === 1) connection.socket.close(1012, 'restarting');
      else connection.acknowledge();
    };
    connect();
    await sendAll(3);
    await sender.finish();
    expect(relay.connections[1]!.received.equals(blocks(3))).toBe(true);
  });

  it('gives up where it is refused, with the relay’s own words', async () => {
    relay.onChunk = (connection) => {
      connection.say({ type: 'error', problem: { detail: 'This vibe belongs to another creator.' } });
      connection.socket.close(4403);
    };
    connect();
    await sender.send(block(0));
    await expect(sender.finish()).rejects.toMatchObject({
      message: 'The relay refused: This vibe belongs to another creator.',
      exitCode: 69,
    });
    expect(relay.connections).toHaveLength(1);
  });

  it('gives up where nobody answers for too long', async () => {
    const { url } = relay;
    await relay.close();
    sender = new WebSocketSender({ url: `${url.replace('http', 'ws')}/stream/hello/audio`, giveUpMs: 0 });
    await expect(sender.send(block(0))).rejects.toThrow(/No relay answers at .*ECONNREFUSED/);
    relay = await FakeRelay.start();
  });

  it('can be closed at any time, any number of times', async () => {
    connect();
    sender.close();
    sender.close();
    await expect(sender.send(block(0))).rejects.toThrow('closed');
  });
});
