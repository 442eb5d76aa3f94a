/** For each state, the states that may follow it. */
export type StateTable<S extends string> = { readonly [from in S]: readonly S[] };

/** One change of state, as listeners and logs see it. */
export interface Move<S extends string> {
  readonly from: S;
  readonly to: S;
  /** Why, in a few words that stay the same for the same cause. */
  readonly cause: string;
}

/** A move that the table does not have. Always a mistake in the program, never bad input. */
export class IllegalMove extends Error {
  constructor(machine: string, from: string, to: string, cause: string) {
    super(`${machine}: no way from ${from} to ${to} (${cause})`);
    this.name = 'IllegalMove';
  }
}

/**
 * A state with one table and one writer. `move` is the only way to change it; staying where one is is no move and
 * tells nobody.
 */
export class StateMachine<S extends string> {
  readonly #name: string;
  readonly #table: StateTable<S>;
  readonly #onMove: (move: Move<S>) => void;
  #state: S;

  constructor(name: string, table: StateTable<S>, initial: S, onMove: (move: Move<S>) => void) {
    this.#name = name;
    this.#table = table;
    this.#state = initial;
    this.#onMove = onMove;
  }

  get state(): S {
    return this.#state;
  }

  /** Whether the table has a way from here to `to`. */
  can(to: S): boolean {
    return this.#table[this.#state].includes(to);
  }

  /** @throws {IllegalMove} where the table has no such way; the state is then unchanged */
  move(to: S, cause: string): void {
    const from = this.#state;
    if (from === to) return;
    if (!this.can(to)) throw new IllegalMove(this.#name, from, to, cause);
    this.#state = to;
    this.#onMove({ from, to, cause });
  }
}
