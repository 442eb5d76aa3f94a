/*
 * A process of creators: one WebSocket each, 20 ms chunks at real-time pace, phases spread. The chunks lie ready as
 * WebSocket frames, masked as a browser masks them, so that the load costs little and the relay what it always costs.
 */
import { randomBytes } from 'node:crypto';
import http from 'node:http';
import type { Socket } from 'node:net';
import { delay } from '../../tests/helpers/eventually';
import { music } from '../../tests/helpers/music';
import { APART_MS, obey } from './obey';
import { Metronome } from './metronome';

const CHUNK_MS = 20;
const CHUNK_BYTES = 3_840;
/** Creators play the same piece over and over, each from another place. */
const PIECE_SECONDS = 30;
const BINARY_FRAME = 0x82;
const MASKED_LONG = 0xfe;

const frames = webSocketFrames(music(PIECE_SECONDS, 7));
const metronome = new Metronome(CHUNK_MS);
const sockets = new Map<string, Socket>();
const leaving: (() => void)[] = [];
let faults: string[] = [];

obey({
  metronome,
  pids: [],
  async grow({ names, url }) {
    for (const name of names) {
      const socket = await upgrade(`${url}/stream/${name}/audio`);
      const from = (sockets.size * 97) % frames.length;
      sockets.set(name, socket);
      socket.once('close', () => sockets.delete(name) && faults.push(`${name}: the relay hung up`));
      socket.on('error', () => undefined);
      // Receipts are of no interest.
      socket.resume();
      leaving.push(metronome.join((index) => socket.write(frames[(from + index) % frames.length] as Buffer)));
      await delay(APART_MS);
    }
  },
  stop() {
    for (const leave of leaving.splice(0)) leave();
    const open = [...sockets.values()];
    sockets.clear();
    for (const socket of open) socket.destroy();
    return Promise.resolve();
  },
  takeFaults() {
    const told = faults;
    faults = [];
    return told;
  },
});

function webSocketFrames(pcm: Buffer): Buffer[] {
  const made: Buffer[] = [];
  for (let at = 0; at < pcm.length; at += CHUNK_BYTES) {
    const mask = randomBytes(4);
    const frame = Buffer.alloc(8 + CHUNK_BYTES);
    frame[0] = BINARY_FRAME;
    frame[1] = MASKED_LONG;
    frame.writeUInt16BE(CHUNK_BYTES, 2);
    mask.copy(frame, 4);
    for (let i = 0; i < CHUNK_BYTES; i += 1) frame[8 + i] = (pcm[at + i] as number) ^ (mask[i & 3] as number);
    made.push(frame);
  }
  return made;
}

/** A connection that has been made a WebSocket. */
function upgrade(url: string): Promise<Socket> {
  const headers = {
    connection: 'Upgrade',
    upgrade: 'websocket',
    'sec-websocket-version': '13',
    'sec-websocket-key': randomBytes(16).toString('base64'),
  };
  return new Promise((resolve, reject) => {
    const request = http.request(url, { headers, agent: false });
    request.once('upgrade', (_answer, socket) => {
      socket.setNoDelay(true);
      resolve(socket);
    });
    request.once('response', (answer) => reject(new Error(`${url}: ${answer.statusCode}`)));
    request.once('error', reject);
    request.end();
  });
}
