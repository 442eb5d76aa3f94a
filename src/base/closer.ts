/**
 * Makes a `close()` idempotent: the first call runs `work`, every call gets the same promise.
 */
export function once(work: () => Promise<void>): () => Promise<void> {
  let running: Promise<void> | undefined;
  return () => (running ??= work());
}

/**
 * What has been opened, to be closed in reverse order. A part that fails to close does not keep the others open:
 * all are tried, then the first error is thrown.
 */
export class Closer {
  readonly #parts: { name: string; close: () => Promise<void> | void }[] = [];
  readonly #onClosing: (name: string) => void;

  /** @param onClosing told the name of each part just before it is closed */
  constructor(onClosing: (name: string) => void = () => undefined) {
    this.#onClosing = onClosing;
  }

  /** Remembers how to close a part that was just opened. */
  add(name: string, close: () => Promise<void> | void): void {
    this.#parts.push({ name, close });
  }

  /** Closes everything, last opened first. Idempotent. */
  readonly close = once(async () => {
    let failure: Error | undefined;
    for (let part = this.#parts.pop(); part; part = this.#parts.pop()) {
      this.#onClosing(part.name);
      try {
        await part.close();
      } catch (error) {
        failure ??= error instanceof Error ? error : new Error(String(error));
      }
    }
    if (failure) throw failure;
  });
}
