/*
 * The floor of `listeners`: a fan-out with nothing to it. What comes in on the first port (an encoder's FLV, a tag a read) goes
 * out to every connection of the second, with one write each, as it came. No protocol, no bound for slow ones, no counts.
 */
import { once } from 'node:events';
import net from 'node:net';
import { answerQuestions } from '../lib/asked-process';

/** Where to listen. */
export interface FanOutPorts {
  readonly feedPort: number;
  readonly listenPort: number;
}

const listeners = new Set<net.Socket>();

const door = net.createServer({ noDelay: true }, (socket) => {
  listeners.add(socket);
  socket.on('error', () => undefined);
  socket.once('close', () => listeners.delete(socket));
  socket.resume();
  socket.write('FLV');
});
const feed = net.createServer((socket) => {
  socket.on('error', () => undefined);
  socket.on('data', (bytes: Buffer) => {
    for (const listener of listeners) listener.write(bytes);
  });
});

answerQuestions(async ({ feedPort, listenPort }: FanOutPorts): Promise<'listening'> => {
  await once(door.listen(listenPort, '127.0.0.1'), 'listening');
  await once(feed.listen(feedPort, '127.0.0.1'), 'listening');
  return 'listening';
});
