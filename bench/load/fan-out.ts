/*
 * The floor of `listeners`: a fan-out with nothing to it. What comes in on the first port (an encoder's FLV, a tag a read) goes
 * out to every connection of the second, with one write each, as it came. No protocol, no bound for slow ones, no counts.
 *
 * Usage: fan-out.ts FEED_PORT LISTEN_PORT
 */
import net from 'node:net';

const [feedPort, listenPort] = process.argv.slice(2).map(Number) as [number, number];
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

door.listen(listenPort, '127.0.0.1', () =>
  feed.listen(feedPort, '127.0.0.1', () => process.send?.('listening')),
);
process.on('disconnect', () => process.exit(0));
