import { readFileSync } from 'node:fs';
import path from 'node:path';
import type { Logger } from '../../base/logger';
import type { Presence } from './presence';

export interface IdentityOptions {
  /** Whether SRS and supervisor see the same process ids; not so with a container. */
  readonly sharesPids: boolean;
  /** SRS's own; its server id lies there beside its pid file. */
  readonly directory: string;
  readonly logger: Logger;
}

/**
 * Whether it is our SRS that answers. SRS lets others listen on its ports, so a second one that somebody starts takes a part of
 * the connections without a word from anybody: publishers that have no listeners, listeners that hear nothing.
 */
export class Identity {
  readonly #options: IdentityOptions;
  #stranger: string | undefined;

  constructor(options: IdentityOptions) {
    this.#options = options;
  }

  /** Says so in the log, once for each stranger. */
  isOurs(found: Presence, ownPid: number | undefined): boolean {
    const ours = this.#options.sharesPids ? found.pid === ownPid : found.server === this.#serverId();
    if (!ours && this.#stranger !== found.service) {
      this.#stranger = found.service;
      this.#options.logger.error(
        { strangerPid: found.pid, ownPid },
        'another SRS shares our ports and takes a part of all connections: end it',
      );
    }
    return ours;
  }

  #serverId(): string | undefined {
    try {
      return readFileSync(path.join(this.#options.directory, 'srs.id'), 'utf8').trim();
    } catch {
      return undefined;
    }
  }
}
