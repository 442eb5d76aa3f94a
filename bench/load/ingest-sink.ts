/*
 * The floor of ingest: a bare `node:http` server that takes what the relay takes, throws it away, and answers with as many
 * bytes as the relay's receipt has. It also takes WebSockets, by hand: it reads what comes, without a look at frames, and
 * writes a receipt made beforehand as often as the relay does.
 */
import { createHash } from 'node:crypto';
import http from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { answerQuestions } from '../lib/asked-process';

/** As a string it goes out with its head in one piece, which is the quickest. */
const RECEIPT =
  '{"success":true,"vibeId":"ingest-0","accepted":3840,"bufferedMs":60,"sequence":12345,"state":"live",' +
  '"isStreaming":true,"participantCount":0,"timestamp":1800000000000}';
const HEADERS = { 'Content-Type': 'application/json; charset=utf-8', 'Content-Length': RECEIPT.length };
/** The relay's, with a message. */
const ACK_MS = 200;
const ACK = Buffer.from('{"type":"ack","accepted":123456789,"bufferedMs":60,"sequence":12345}');
const ACK_FRAME = Buffer.concat([Buffer.from([0x81, ACK.length]), ACK]);
/** RFC 6455, section 1.3. */
const WEBSOCKET_GUID = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';

const server = http.createServer({ noDelay: true, requestTimeout: 0 }, (req, res) => {
  req.on('data', () => undefined);
  req.on('end', () => res.writeHead(202, HEADERS).end(RECEIPT));
});
server.on('upgrade', (req, socket) => {
  const accept = createHash('sha1')
    .update(`${req.headers['sec-websocket-key']}${WEBSOCKET_GUID}`)
    .digest('base64');
  socket.write(
    'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n' +
      `Sec-WebSocket-Accept: ${accept}\r\n\r\n`,
  );
  let ackedMs = performance.now();
  socket.on('error', () => undefined);
  socket.on('data', () => {
    const nowMs = performance.now();
    if (nowMs - ackedMs < ACK_MS) return;
    ackedMs = nowMs;
    socket.write(ACK_FRAME);
  });
});
server.listen(0, '127.0.0.1');

answerQuestions(async (): Promise<{ port: number }> => {
  if (!server.listening) await once(server, 'listening');
  return { port: (server.address() as AddressInfo).port };
});
