import { execFile, spawn, type ChildProcess } from 'node:child_process';
import type { Logger } from '../base/logger';

/** What a short program said. */
export interface Captured {
  readonly stdout: string;
  /** The program could not be run, ended with a non-zero exit code, or took too long. */
  readonly error?: Error & { readonly code?: string | number | null };
}

/** What programs need to be found and loaded; the rest of the environment is nobody's business (`FFREPORT` writes files). */
const PASSED_ON = ['PATH', 'LD_LIBRARY_PATH', 'DYLD_LIBRARY_PATH', 'SYSTEMROOT', 'TMPDIR'];

/** The environment of every process that is started here, taken from the daemon's own. */
export function childEnvironment(
  own: Readonly<Record<string, string | undefined>>,
): Readonly<Record<string, string>> {
  const passed = PASSED_ON.flatMap((name) => (own[name] === undefined ? [] : [[name, own[name]] as const]));
  return { LC_ALL: 'C', ...Object.fromEntries(passed) };
}

/** A program that only prints and ends takes tens of milliseconds; one that has not ended by then never will. */
const CAPTURE_LIMIT_MS = 10_000;

/**
 * Runs a program that prints something and ends. Never rejects.
 * @param environment all that the program gets; nothing is inherited
 */
export async function capture(
  program: string,
  args: readonly string[],
  environment: Readonly<Record<string, string>>,
): Promise<Captured> {
  return new Promise((resolve) => {
    const limits = { timeout: CAPTURE_LIMIT_MS, killSignal: 'SIGKILL', maxBuffer: 8 * 1024 * 1024 } as const;
    execFile(program, args, { ...limits, env: { ...environment } }, (error, stdout) =>
      resolve(error ? { stdout, error } : { stdout }),
    );
  });
}

/**
 * What to put before a command so that the kernel ends it with this process: `setpriv --pdeathsig KILL --`, or
 * nothing where there is no such `setpriv` (anywhere but Linux), which is logged.
 *
 * FFmpeg ends by itself when its standard input is closed, unless it is blocked on its output: then it would outlive
 * a daemon that was killed with SIGKILL. The signal is tied to the thread that spawns, in Node the main thread.
 */
export async function findLeash(
  environment: Readonly<Record<string, string>>,
  logger: Logger,
): Promise<readonly string[]> {
  const leash = ['setpriv', '--pdeathsig', 'KILL', '--'];
  const [program = '', ...args] = [...leash, 'true'];
  const { error } = await capture(program, args, environment);
  if (!error) return leash;
  logger.warn(
    { err: error },
    'no setpriv that knows --pdeathsig: should this process be killed with SIGKILL, an FFmpeg that is blocked on its output may stay behind',
  );
  return [];
}

/**
 * Starts an FFmpeg with its standard input, standard error and descriptor 3 (progress) piped to here; standard output
 * is closed. Emits `error` where that fails.
 *
 * It gets a process group of its own: a Ctrl-C in a terminal reaches every process of the terminal's group, and an
 * FFmpeg that ends with it cannot play the tail.
 * @throws {Error} for failures that Node does not emit, e.g. a NUL in an argument or no memory
 */
export function spawnFfmpeg(
  command: { readonly leash: readonly string[]; readonly path: string; readonly args: readonly string[] },
  environment: Readonly<Record<string, string>>,
): ChildProcess {
  const [program = command.path, ...args] = [...command.leash, command.path, ...command.args];
  return spawn(program, args, {
    shell: false,
    detached: true,
    env: { ...environment },
    stdio: ['pipe', 'ignore', 'pipe', 'pipe'],
    windowsHide: true,
  });
}
