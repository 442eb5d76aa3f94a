/** What a creator does until it is told to stop. */
export class Sending {
  #isStopping = false;
  #done: Promise<void> | undefined;

  get isStopping(): boolean {
    return this.#isStopping;
  }

  /** Idempotent. */
  begin(send: () => Promise<void>): void {
    this.#done ??= send();
    // Whoever stops it is told.
    this.#done.catch(() => undefined);
  }

  /** Resolves when it is over; rejects with what went wrong. */
  async stop(): Promise<void> {
    this.#isStopping = true;
    await this.#done;
  }
}
