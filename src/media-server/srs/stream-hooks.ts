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
  /** Whether a player makes no stream under a wrong name. @returns what it must wait for, where that is not known yet */
  readonly mayPlay: (vibeId: string) => boolean | Promise<boolean>;
  /** Whether a player is one of the relay's own. */
  readonly isInternal: (query: URLSearchParams) => boolean;
}

/** Decides the hooks of the vhost that vibes are heard at: our encoders publish, and whoever likes plays. */
export class StreamHooks implements VhostHooks {
  readonly #options: StreamHooksOptions;

  constructor(options: StreamHooksOptions) {
    this.#options = options;
  }

  decide(hook: Hook): Verdict | Promise<Verdict> {
    const { clock, app, publishers, players, knows } = this.#options;
    const { action, clientId, stream } = hook;
    switch (action) {
      case 'on_connect':
        return hook.app === app ? ALLOWED : refused('there are no streams in this app');
      case 'on_publish':
      case 'on_play':
        if (hook.app !== app) return refused('there are no streams in this app');
        if (!knows(stream)) return refused('there is no such vibe');
        return action === 'on_publish' ? publishers.accept(hook) : this.#play(hook);
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

  #play({ clientId, stream, query }: Hook): Verdict | Promise<Verdict> {
    const { clock, players, isInternal, mayPlay } = this.#options;
    const internal = isInternal(query);
    const decide = (may: boolean): Verdict => {
      if (!may) return refused('SRS could make no stream for it yet');
      players.came(clientId, stream, internal, clock.nowMs());
      return ALLOWED;
    };
    const may = internal || mayPlay(stream);
    return typeof may === 'boolean' ? decide(may) : may.then(decide);
  }
}
