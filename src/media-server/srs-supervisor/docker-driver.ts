import path from 'node:path';
import { EXIT_UNAVAILABLE, OperatorError } from '../../base/errors';
import { MAX_CONNECTIONS, RESERVED_FILES, hlsDirectory } from '../srs/conf';
import { parseSrsVersion, type SrsVersion } from '../srs/lines';
import { type SrsCommand, type SrsDriver, lastWords } from './driver';
import { ask, type Environment } from './programs';

export interface DockerDriverOptions {
  /** The setting SRS_IMAGE. */
  readonly image: string;
  /** Where SRS may write; has the same name in the container. */
  readonly directory: string;
  /** One container a relay: its API port tells it from others of this machine. */
  readonly apiPort: number;
  /** Who runs in the container; the supervisor's own user, so that both may write. */
  readonly user: string;
  readonly environment: Environment;
  /** The docker command; found on PATH unless told. */
  readonly docker?: string;
}

/** Where the official images have the program. */
const PROGRAM = '/usr/local/srs/objs/srs';
/** What docker says last of each failure: where its help is. */
const DOCKERS_ADVICE = /^(Run|See) 'docker .*--help'/;
/** The first time, the image is fetched. */
const FETCH_LIMIT_MS = 300_000;
/** Segments of 15 s of 200 streams at 320 kbit/s, twice. */
const HLS_TMPFS = '256m';

/**
 * SRS in a container, on the host's network: its ports, and the relay's hooks, are on this machine's loopback. It may write
 * to one directory and to memory, and has no rights to give up.
 */
export class DockerDriver implements SrsDriver {
  readonly kind = 'docker';
  readonly sharesPids = false;
  readonly #options: DockerDriverOptions;
  readonly #docker: string;

  constructor(options: DockerDriverOptions) {
    this.#options = options;
    this.#docker = options.docker ?? 'docker';
  }

  get name(): string {
    return this.#options.image;
  }

  get #container(): string {
    return `vibesflow-srs-${this.#options.apiPort}`;
  }

  async version(): Promise<SrsVersion> {
    const { image } = this.#options;
    const { text, error } = await this.#ask(
      ['run', '--rm', '--network', 'none', image, PROGRAM, '-v'],
      FETCH_LIMIT_MS,
    );
    if (error?.code === 'ENOENT')
      throw new OperatorError(
        'SRS_DRIVER=docker needs the command docker, and PATH has none',
        EXIT_UNAVAILABLE,
      );
    // Fetching an image says much; the release is a line of its own.
    const version = text.split('\n').map(parseSrsVersion).findLast(Boolean);
    if (version) return version;
    const lines = text.split('\n').filter((line) => line.trim() !== '' && !DOCKERS_ADVICE.test(line));
    const said = lines.at(-1)?.slice(0, 300) ?? error?.message ?? 'it says nothing';
    throw new OperatorError(`SRS_IMAGE ${image} does not say its release: ${said}`, EXIT_UNAVAILABLE);
  }

  async refusal(confFile: string): Promise<string | undefined> {
    const { text, error } = await this.#ask(
      [...this.#run([]), PROGRAM, '-t', '-c', confFile],
      FETCH_LIMIT_MS,
    );
    return error ? lastWords(text) || error.message : undefined;
  }

  command(confFile: string): SrsCommand {
    const args = [...this.#run(['--name', this.#container]), PROGRAM, '-c', confFile];
    return { program: this.#docker, args, environment: this.#options.environment };
  }

  async sweep(): Promise<void> {
    await this.#ask(['rm', '--force', this.#container]);
  }

  async kill(): Promise<void> {
    await this.#ask(['rm', '--force', this.#container]);
  }

  #run(more: readonly string[]): string[] {
    const { image, directory, user } = this.#options;
    const files = 2 * (MAX_CONNECTIONS + RESERVED_FILES);
    const [uid = '', gid = ''] = user.split(':');
    return [
      ...['run', '--rm', ...more, '--network', 'host', '--user', user, '--read-only'],
      ...['--cap-drop', 'ALL', '--security-opt', 'no-new-privileges', '--ulimit', `nofile=${files}:${files}`],
      // What it says comes to the supervisor, without secrets; nobody else is to keep it.
      ...['--log-driver', 'none', '--volume', `${path.resolve(directory)}:${path.resolve(directory)}`],
      ...[
        '--tmpfs',
        `${path.resolve(hlsDirectory(directory))}:rw,mode=0700,uid=${uid},gid=${gid},size=${HLS_TMPFS}`,
      ],
      image,
    ];
  }

  async #ask(args: readonly string[], limitMs?: number): ReturnType<typeof ask> {
    return ask(this.#docker, args, this.#options.environment, limitMs === undefined ? {} : { limitMs });
  }
}
