import type { IncomingMessage, Server } from 'node:http';
import type { Duplex } from 'node:stream';

/** Headers that speak of an upgrade, and of nothing else. */
const UPGRADE_HEADERS = new Set(['upgrade', 'http2-settings']);

/**
 * Serves a request that asks for another upgrade than ours as if it had not asked, as HTTP wants it: Java's client asks
 * for HTTP/2 (`h2c`) with its first request. Node has parsed the head and let go of the socket, so the head is put back
 * before what follows it, without the wish, and the connection begins anew.
 */
export function serveWithoutUpgrade(
  server: Server,
  req: IncomingMessage,
  socket: Duplex,
  head: Buffer,
): void {
  const lines = [`${req.method} ${req.url} HTTP/${req.httpVersion}`];
  for (let at = 0; at < req.rawHeaders.length; at += 2) {
    const name = req.rawHeaders[at] as string;
    const value = req.rawHeaders[at + 1] as string;
    if (UPGRADE_HEADERS.has(name.toLowerCase())) continue;
    lines.push(`${name}: ${name.toLowerCase() === 'connection' ? withoutUpgrade(value) : value}`);
  }
  socket.unshift(Buffer.concat([Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1'), head]));
  server.emit('connection', socket);
}

function withoutUpgrade(connection: string): string {
  const kept = connection
    .split(',')
    .filter((option) => !['upgrade', 'http2-settings'].includes(option.trim().toLowerCase()));
  return kept.length > 0 ? kept.join(',') : 'keep-alive';
}
