import type { Timer } from '../../src/base/clock';
import { EventEmitter } from 'node:events';
import type {
  Admissions,
  MediaServer,
  MediaServerEvents,
  MediaServerHealth,
} from '../../src/media-server/media-server';

/** A media server without a process: remembers what it was told, and says what it is asked to. */
export class FakeMediaServer extends EventEmitter<MediaServerEvents> implements MediaServer {
  readonly announced = new Set<string>();
  /** Those of them that are private. */
  readonly privates = new Set<string>();
  /** Tickets that are good, as `vibe ticket`. */
  readonly tickets = new Set<string>();
  admissions: Admissions | undefined = {
    admit: (vibeId, ticket) => void this.tickets.add(`${vibeId} ${ticket}`),
    expel: (vibeId, ticket) => void this.tickets.delete(`${vibeId} ${ticket}`),
  };
  tailMs = 0;
  readonly playerCounts = new Map<string, number>();
  health: MediaServerHealth = { kind: 'embedded', up: true, version: '0.0.0' };

  async start(): Promise<void> {}

  async close(): Promise<void> {}

  announce(vibeId: string, isPrivate = false): void {
    this.announced.add(vibeId);
    if (isPrivate) this.privates.add(vibeId);
  }

  retire(vibeId: string): void {
    this.announced.delete(vibeId);
  }

  setPlayers(vibeId: string, listeners: number): void {
    this.playerCounts.set(vibeId, listeners);
    this.emit('listeners', { vibeId, listeners });
  }

  playersOf(vibeId: string): number {
    return this.playerCounts.get(vibeId) ?? 0;
  }

  publishUrl(vibeId: string, token: string): string {
    return `rtmp://127.0.0.1:1935/live/${vibeId}?token=${token}`;
  }

  whenClear(_vibeId: string, go: () => void): Timer {
    go();
    return { cancel: () => undefined };
  }
}
