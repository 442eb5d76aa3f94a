import { Problem } from '../base/errors';

/** A creator's long-lived connection. */
export interface IngestConnection {
  /** Told to go: a newer connection took over (`superseded`), or the vibe is over (`vibe-ending`, `vibe-failed`). */
  supersede(problem: Problem): void;
}

/** The one seat at a vibe's desk: who comes later sits down, who sat there goes. */
export class CreatorSeat {
  #connection: IngestConnection | undefined;

  /** @returns whether somebody had to go, and how to let go of the seat */
  take(connection: IngestConnection): { tookOver: boolean; leave: () => void } {
    const older = this.#connection;
    this.#connection = connection;
    older?.supersede(new Problem('superseded', 'A newer connection of this creator took over.'));
    const leave = (): void => {
      if (this.#connection === connection) this.#connection = undefined;
    };
    return { tookOver: older !== undefined, leave };
  }

  /** Sends away whoever sits there. */
  clear(problem: Problem): void {
    const connection = this.#connection;
    this.#connection = undefined;
    connection?.supersede(problem);
  }
}
