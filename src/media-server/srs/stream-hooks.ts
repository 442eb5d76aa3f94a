import type { Clock } from '../../base/clock';
import { ALLOWED, type Hook, refused, type Verdict } from './hook';
import type { VhostHooks } from './hook-desk';
import type { Players } from './players';
import type { Publishers } from './publishers';

export interface StreamHooksOptions {
  readonly clock: Clock;
  /** The part of the RTMP URL's path that all streams share, e.g. `live`. */
  readonly app: string;
  readonly publishers: Pick<Publishers, 'accept' | 'gone'>;
  readonly players: Pick<Players, 'came' | 'left'>;
  /** Whether there is such a vibe. */
  readonly knows: (vibeId: string) => boolean;
  /** Somebody plays. Told once SRS has its answer. */
  readonly onPlayer: () => void;
  /** Whether a player is one of the relay's own. */
  readonly isInternal: (query: URLSearchParams) => boolean;
}

/** Decides the hooks of the vhost that vibes are heard at: our encoders publish, and whoever likes plays. */
export class StreamHooks implements VhostHooks {
  readonly #options: StreamHooksOptions;

  constructor(options: StreamHooksOptions) {
    this.#options = options;
  }

  decide(hook: Hook): Verdict {
    const { clock, app, publishers, players, knows, onPlayer, isInternal } = this.#options;
    const { action, clientId, stream, query } = hook;
    switch (action) {
      case 'on_connect':
        return hook.app === app ? ALLOWED : refused('there are no streams in this app');
      case 'on_publish':
      case 'on_play':
        if (hook.app !== app) return refused('there are no streams in this app');
        if (!knows(stream)) return refused('there is no such vibe');
        if (action === 'on_publish') return publishers.accept(hook);
        players.came(clientId, stream, isInternal(query), clock.nowMs());
        queueMicrotask(onPlayer);
        return ALLOWED;
      case 'on_unpublish':
        return publishers.gone(hook) ? ALLOWED : refused('this publisher was not known, or not any more');
      case 'on_stop':
        players.left(clientId, clock.nowMs());
        return ALLOWED;
      case 'on_close':
        publishers.gone(hook);
        return ALLOWED;
    }
  }
}
