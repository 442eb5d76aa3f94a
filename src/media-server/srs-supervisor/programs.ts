import { execFile } from 'node:child_process';

/** What a short program said, on both of its outputs. */
export interface Said {
  readonly text: string;
  /** It could not be run, ended with another exit code than 0, or took too long. */
  readonly error?: Error & { readonly code?: string | number | null };
}

export type Environment = Readonly<Record<string, string>>;

/**
 * What a program needs to be found and loaded. Nothing else: SRS takes every variable that begins with `SRS_` for a
 * directive of its configuration, and `SRS_BINARY` is ours.
 */
const PASSED_ON = [
  'PATH',
  'LD_LIBRARY_PATH',
  'TMPDIR',
  'TZ',
  'HOME',
  'DOCKER_HOST',
  'DOCKER_CONTEXT',
  'DOCKER_CONFIG',
];

/** The environment of every program that is started here, taken from the supervisor's own. */
export function environmentFrom(own: Readonly<Record<string, string | undefined>>): Environment {
  const passed = PASSED_ON.flatMap((name) => (own[name] === undefined ? [] : [[name, own[name]] as const]));
  return { LC_ALL: 'C', ...Object.fromEntries(passed) };
}

/** Most end within tens of milliseconds. An image that is not there yet is fetched meanwhile. */
const LIMIT_MS = 10_000;

/** Runs a program that says something and ends. Never rejects. */
export async function ask(
  program: string,
  args: readonly string[],
  environment: Environment,
  options: { limitMs?: number; directory?: string } = {},
): Promise<Said> {
  return new Promise((resolve) => {
    const limits = { timeout: options.limitMs ?? LIMIT_MS, killSignal: 'SIGKILL' } as const;
    execFile(
      program,
      args,
      { ...limits, env: { ...environment }, cwd: options.directory },
      (error, stdout, stderr) => {
        const text = `${stdout}${stderr}`;
        resolve(error ? { text, error } : { text });
      },
    );
  });
}

/**
 * What to put before a command so that the kernel ends it with this process, even if that is killed: `setpriv --pdeathsig
 * KILL --`. Empty where there is no such `setpriv`, which is anywhere but Linux.
 */
export async function findLeash(environment: Environment): Promise<readonly string[]> {
  const leash = ['setpriv', '--pdeathsig', 'KILL', '--'];
  const [program = '', ...args] = [...leash, 'true'];
  const { error } = await ask(program, args, environment);
  return error ? [] : leash;
}
