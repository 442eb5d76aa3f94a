import { accessSync, constants, statSync } from 'node:fs';
import path from 'node:path';
import { EXIT_UNAVAILABLE, OperatorError } from '../../base/errors';
import { parseSrsVersion, type SrsVersion } from '../srs/lines';
import { type SrsCommand, type SrsDriver, lastWords } from './driver';
import { ask, type Environment } from './programs';

export interface BinaryDriverOptions {
  /** The executable, as the setting SRS_BINARY has it. */
  readonly binary: string;
  readonly environment: Environment;
  /** What ends SRS with its supervisor; see `findLeash`. */
  readonly leash: readonly string[];
}

/** SRS as a program of this machine. */
export class BinaryDriver implements SrsDriver {
  readonly kind = 'binary';
  readonly sharesPids = true;
  readonly #options: BinaryDriverOptions;

  constructor(options: BinaryDriverOptions) {
    this.#options = options;
  }

  get name(): string {
    return this.#options.binary;
  }

  async version(): Promise<SrsVersion> {
    const { binary, environment } = this.#options;
    assertExecutable(binary);
    const { text, error } = await ask(binary, ['-v'], environment);
    const version = parseSrsVersion(text);
    if (version) return version;
    const said = text.trim().split('\n')[0]?.slice(0, 100) ?? '';
    throw new OperatorError(
      `SRS_BINARY ${binary} is not SRS, the media server: to -v it says ${JSON.stringify(said || (error?.message ?? ''))}` +
        ' (Debian’s package srs is another program, for mail)',
      EXIT_UNAVAILABLE,
    );
  }

  async refusal(confFile: string): Promise<string | undefined> {
    const { binary, environment } = this.#options;
    const directory = path.dirname(confFile);
    const { text, error } = await ask(binary, ['-t', '-c', confFile], environment, { directory });
    return error ? lastWords(text) || error.message : undefined;
  }

  command(confFile: string): SrsCommand {
    const { binary, environment, leash } = this.#options;
    const [program = '', ...args] = [...leash, binary, '-c', confFile];
    return { program, args, environment };
  }

  async sweep(): Promise<void> {
    // The leash leaves nothing behind; where there is none, the check of the ports finds what is.
  }

  async kill(): Promise<void> {
    // SIGKILL reached it.
  }
}

function assertExecutable(binary: string): void {
  const refuse = (what: string): never => {
    throw new OperatorError(`SRS_BINARY ${binary} ${what}`, EXIT_UNAVAILABLE);
  };
  const file = statSync(binary, { throwIfNoEntry: false });
  if (!file) return refuse('does not exist');
  if (!file.isFile()) return refuse('is not a file');
  try {
    accessSync(binary, constants.X_OK);
  } catch {
    refuse('is not executable: chmod +x it, or name another');
  }
}
