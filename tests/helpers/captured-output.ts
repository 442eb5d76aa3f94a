import { Writable } from 'node:stream';

/** Streams that keep what is written to them, to be handed to a command instead of the terminal. */
export class CapturedOutput {
  readonly stdout = new Capture();
  readonly stderr = new Capture();
}

export class Capture extends Writable {
  isTTY?: boolean;
  columns?: number;
  readonly #pieces: Buffer[] = [];

  override _write(piece: Buffer, _encoding: string, done: () => void): void {
    this.#pieces.push(Buffer.from(piece));
    done();
  }

  get bytes(): Buffer {
    return Buffer.concat(this.#pieces);
  }

  get text(): string {
    return this.bytes.toString();
  }
}
