import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';

const REGISTER = path.resolve(__dirname, '../register.cjs');

/** A program of bench/load/ that runs as a process of its own, and answers questions one after the other. */
export class AskedProcess<Question, Answer> {
  readonly #child: ChildProcess;

  private constructor(child: ChildProcess) {
    this.#child = child;
  }

  /** @param file below bench/load/, without `.ts` */
  static start<Question, Answer>(file: string): AskedProcess<Question, Answer> {
    const program = path.resolve(__dirname, `../load/${file}.ts`);
    return new AskedProcess(fork(program, [], { execArgv: ['-r', REGISTER], serialization: 'advanced' }));
  }

  get pid(): number {
    return this.#child.pid as number;
  }

  /** @throws {Error} what the program says went wrong, or that it ended */
  async ask(question: Question): Promise<Answer> {
    if (this.#isOver) throw endedWith(this.#child.exitCode ?? this.#child.signalCode);
    const over = new AbortController();
    const answered = once(this.#child, 'message', { signal: over.signal });
    const ended = once(this.#child, 'exit', { signal: over.signal });
    try {
      this.#child.send(question as object);
      const first = await Promise.race([answered, ended.then(([code]) => Promise.reject(endedWith(code)))]);
      const { answer, error } = first[0] as { answer: Answer; error?: string };
      if (error !== undefined) throw new Error(error);
      return answer;
    } finally {
      over.abort();
      await Promise.allSettled([answered, ended]);
    }
  }

  async stop(): Promise<void> {
    if (this.#isOver) return;
    const exited = once(this.#child, 'exit');
    this.#child.kill('SIGKILL');
    await exited;
  }

  get #isOver(): boolean {
    return this.#child.exitCode !== null || this.#child.signalCode !== null;
  }
}

function endedWith(code: unknown): Error {
  return new Error(`a helper process ended with ${String(code)}`);
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
