import type { SrsVersion } from '../srs/lines';
import type { Environment } from './programs';

/** A command line that runs SRS in the foreground. */
export interface SrsCommand {
  readonly program: string;
  readonly args: readonly string[];
  readonly environment: Environment;
}

/** How SRS is run: as a program of this machine, or in a container. */
export interface SrsDriver {
  readonly kind: 'binary' | 'docker';
  /** What is run, for the log. */
  readonly name: string;
  /** Whether the id that SRS says it has is that of the process that was started: not so in a container. */
  readonly sharesPids: boolean;
  /**
   * Asks SRS for its release.
   * @throws {OperatorError} 69 where it cannot be run, or is no SRS
   */
  version(): Promise<SrsVersion>;
  /**
   * Lets SRS read its configuration.
   * @returns what it says against it, `undefined` where it takes it
   */
  refusal(confFile: string): Promise<string | undefined>;
  command(confFile: string): SrsCommand;
  /** Ends what a supervisor that was killed left running. */
  sweep(): Promise<void>;
  /** Kills what SIGKILL to the started process does not reach. */
  kill(): Promise<void>;
}

/** The last thing that SRS said of a configuration, without its time and process. */
export function lastWords(said: string): string {
  // eslint-disable-next-line no-control-regex -- SRS colours its lines with escape sequences
  const lines = said.replace(/\u001b\[[\d;]*m/g, '').split('\n');
  const errors = lines.filter((line) => /\[ERROR\]|\[error\]|illegal|Failed|invalid/.test(line));
  const line = errors[0] ?? lines.filter((text) => text.trim() !== '').at(-1) ?? '';
  return line.replace(/^(\[[^\]]*\])+ ?/, '').slice(0, 300);
}
