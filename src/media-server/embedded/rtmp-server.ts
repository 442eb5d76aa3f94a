import net, { type Socket } from 'node:net';
import type { Clock } from '../../base/clock';
import type { Channels } from './channels';
import { RtmpSession } from './rtmp-session';

/** Publishers are the relay's own encoders, on this machine. */
const HOST = '127.0.0.1';
/** Far more than vibes: each connection is a descriptor, and one that publishes nothing is closed after 10 s. */
const MAX_CONNECTIONS = 10_000;

/** Where encoders publish: RTMP on loopback. */
export class RtmpServer {
  readonly #server: net.Server;
  readonly #sessions = new Set<RtmpSession>();
  readonly #channels: Channels;
  readonly #clock: Clock;
  readonly #onFault: (fault: string, vibeId: string) => void;

  /** @param onFault told why a connection was given up; the name is empty before it published one */
  constructor(channels: Channels, clock: Clock, onFault: (fault: string, vibeId: string) => void) {
    this.#channels = channels;
    this.#clock = clock;
    this.#onFault = onFault;
    this.#server = net.createServer((socket) => this.#accept(socket));
    this.#server.maxConnections = MAX_CONNECTIONS;
  }

  /** Rejects with the system's error where it cannot listen. */
  async listen(port: number): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen(port, HOST, () => {
        this.#server.off('error', reject);
        this.#server.on('error', (error) => this.#onFault(error.message, ''));
        resolve();
      });
    });
  }

  /** Ends every publish. */
  async close(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    for (const session of [...this.#sessions]) session.close();
    await closed;
  }

  #accept(socket: Socket): void {
    const session: RtmpSession = new RtmpSession(socket, this.#clock, {
      onPublish: () => this.#channels.publish(session),
      onAudio: (_, body) => this.#channels.audio(session, body),
      onMetadata: (_, members) => this.#channels.metadata(session, members),
      onUnpublish: () => this.#channels.unpublish(session),
      onFault: (_, fault) => this.#onFault(fault, session.vibeId),
    });
    this.#sessions.add(session);
    socket.once('close', () => this.#sessions.delete(session));
  }
}
