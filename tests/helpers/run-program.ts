import { spawn } from 'node:child_process';

export interface ProgramResult {
  readonly exitCode: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: Buffer;
  readonly stderr: string;
}

/**
 * Runs a program to its end, with `input` on its standard input. A program that takes longer than `withinMs` is
 * killed; one that would never end by itself is told to (SIGTERM) as soon as `stopWhen` says so.
 * @throws {Error} where the program cannot be started or takes too long; a non-zero exit code is not an error here
 */
export async function runProgram(
  program: string,
  args: readonly string[],
  options: {
    input?: Buffer;
    withinMs?: number;
    env?: NodeJS.ProcessEnv;
    cwd?: string;
    stopWhen?: () => boolean;
  } = {},
): Promise<ProgramResult> {
  const child = spawn(program, args, { env: options.env ?? process.env, cwd: options.cwd });
  const stdout: Buffer[] = [];
  const stderr: Buffer[] = [];
  child.stdout.on('data', (bytes: Buffer) => stdout.push(bytes));
  child.stderr.on('data', (bytes: Buffer) => stderr.push(bytes));
  // A program that ends before it has read everything breaks the pipe; its exit code tells why.
  child.stdin.on('error', () => undefined);
  child.stdin.end(options.input);

  const withinMs = options.withinMs ?? 60_000;
  let late = false;
  const timer = setTimeout(() => {
    late = true;
    child.kill('SIGKILL');
  }, withinMs);
  const { stopWhen } = options;
  const stopping = stopWhen && setInterval(() => stopWhen() && child.kill('SIGTERM'), 100);
  try {
    const [exitCode, signal] = await new Promise<[number | null, NodeJS.Signals | null]>(
      (resolve, reject) => {
        child.once('error', reject);
        child.once('close', (code, endSignal) => resolve([code, endSignal]));
      },
    );
    const said = Buffer.concat(stderr).toString();
    if (late) throw new Error(`${program} took longer than ${withinMs} ms; it said:\n${said.slice(-2_000)}`);
    return { exitCode, signal, stdout: Buffer.concat(stdout), stderr: said };
  } finally {
    clearTimeout(timer);
    clearInterval(stopping);
  }
}

/** Like `runProgram`, for programs that must succeed: gives their standard output. */
export async function outputOf(
  program: string,
  args: readonly string[],
  options: { input?: Buffer; withinMs?: number } = {},
): Promise<Buffer> {
  const result = await runProgram(program, args, options);
  if (result.exitCode === 0) return result.stdout;
  throw new Error(
    `${program} ended with ${result.exitCode ?? result.signal}; it said:\n${result.stderr.slice(-2_000)}`,
  );
}
