import type { Socket } from 'node:net';
import type { Logger } from '../base/logger';

/**
 * Which part of the descriptors connections may take. The other half is the house's: three for each FFmpeg, the journal,
 * what Node itself opens. Where none is left, an encoder that died could not be started again.
 */
const SERVED_PART = 1 / 2;
/** Beyond it, connections are closed without a word: those who are told that there is no room have one, too. */
const MOST_PART = 5 / 8;
/** It is over when so much of the room is free again, so that the log does not tell of each who comes and goes. */
const OVER_PART = 0.9;

/** Everybody who is connected, and who came when there was no room any more. */
export class Crowd {
  /** Connections at most. */
  readonly most: number;
  readonly #served: number;
  readonly #logger: Logger;
  readonly #sockets = new Set<Socket>();
  readonly #unwelcome = new Set<Socket>();
  #isFull = false;

  /** @param openFiles descriptors that this process may have */
  constructor(openFiles: number, logger: Logger) {
    this.#served = Math.floor(openFiles * SERVED_PART);
    this.most = Math.floor(openFiles * MOST_PART);
    this.#logger = logger;
  }

  /** Takes note of a connection, until it is closed. */
  add(socket: Socket): void {
    // It begins anew where what it asked for is served as something else.
    if (this.#sockets.has(socket)) return;
    this.#sockets.add(socket);
    if (this.#sockets.size > this.#served) {
      this.#unwelcome.add(socket);
      this.#full();
    }
    socket.once('close', () => {
      this.#sockets.delete(socket);
      this.#unwelcome.delete(socket);
      if (this.#isFull && this.#sockets.size <= this.#served * OVER_PART) this.#over();
    });
  }

  /** Whether whoever asks on this connection is to be told that there is no room. */
  isUnwelcome(socket: unknown): boolean {
    return this.#unwelcome.size > 0 && this.#unwelcome.has(socket as Socket);
  }

  /** Hangs up on everybody. */
  disperse(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  #full(): void {
    if (this.#isFull) return;
    this.#isFull = true;
    this.#logger.warn(
      { connections: this.#sockets.size, served: this.#served },
      'there are too many connections: new ones are refused',
    );
  }

  #over(): void {
    this.#isFull = false;
    this.#logger.info({ connections: this.#sockets.size }, 'there is room for connections again');
  }
}
