import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';

const REGISTER = path.resolve(__dirname, '../register.cjs');

/** A program below bench/ that runs as a process of its own, and answers questions one after the other. */
export class AskedProcess<Question, Answer> {
  readonly #child: ChildProcess;
  /** Resolves with how it ended. */
  readonly #ended: Promise<Error>;

  private constructor(child: ChildProcess) {
    this.#child = child;
    this.#ended = new Promise((resolve) => {
      child.on('error', resolve);
      child.once('exit', (code, signal) =>
        resolve(new Error(`a helper process ended with ${code ?? signal}`)),
      );
    });
  }

  /**
   * @param program its file below bench/, without `.ts`
   * @param options.core that it is bound to, with all its threads; any, unless told
   */
  static start<Question, Answer>(
    program: string,
    { core }: { core?: number } = {},
  ): AskedProcess<Question, Answer> {
    const node = [process.execPath, '-r', REGISTER, path.resolve(__dirname, '..', `${program}.ts`)];
    const [command, ...args] = core === undefined ? node : ['taskset', '-c', String(core), ...node];
    const child = spawn(command as string, args, {
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
      serialization: 'advanced',
    });
    return new AskedProcess(child);
  }

  get pid(): number {
    return this.#child.pid as number;
  }

  get isRunning(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }

  /** @throws {Error} what the program says went wrong, or that it ended */
  async ask(question: Question): Promise<Answer> {
    const over = new AbortController();
    const answered = once(this.#child, 'message', { signal: over.signal });
    answered.catch(() => undefined);
    try {
      if (this.isRunning) this.#child.send(question as object);
      const ended = this.#ended.then((error) => Promise.reject(error));
      const [said] = (await Promise.race([answered, ended])) as [{ answer: Answer; error?: string }];
      if (said.error !== undefined) throw new Error(said.error);
      return said.answer;
    } finally {
      over.abort();
    }
  }

  /** Lets go of it: it ends by itself then. */
  async stop(): Promise<void> {
    if (this.#child.connected) this.#child.disconnect();
    await this.#ended;
  }
}

/** The other side: answers each question with what `answer` gives. The process ends with its parent. */
export function answerQuestions<Question, Answer>(answer: (question: Question) => Promise<Answer>): void {
  process.on('message', (question) => {
    answer(question as Question).then(
      (value) => process.send?.({ answer: value }),
      (error: unknown) => process.send?.({ error: error instanceof Error ? error.message : String(error) }),
    );
  });
  process.once('disconnect', () => process.exit());
}
