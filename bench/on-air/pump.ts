/*
 * The least that a Node process can do for vibes: takes creators' WebSockets and writes whatever comes straight into a pipe
 * each, unread: no frames, no buffer, no clock, no metrics. What the daemon takes beyond it is the daemon's.
 */
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { answerQuestions } from '../lib/asked-process';

/** Of RFC 6455: makes the answer to a client's key. */
const HANDSHAKE = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';

const server = http.createServer((_request, response) => response.writeHead(404).end());

server.on('upgrade', (request, socket) => {
  const key = request.headers['sec-websocket-key'] ?? '';
  const accept = createHash('sha1').update(`${key}${HANDSHAKE}`).digest('base64');
  socket.write(
    'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n' +
      `Sec-WebSocket-Accept: ${accept}\r\n\r\n`,
  );
  // It ends when its input does: with its creator, or with this process.
  const sink = spawn('cat', [], { stdio: ['pipe', 'ignore', 'ignore'] });
  sink.stdin.on('error', () => undefined);
  socket.on('error', () => undefined);
  socket.once('close', () => sink.stdin.end());
  socket.on('data', (bytes: Buffer) => sink.stdin.write(bytes));
});

answerQuestions(async (): Promise<{ port: number }> => {
  if (!server.listening) await once(server.listen(0, '127.0.0.1'), 'listening');
  return { port: (server.address() as AddressInfo).port };
});
