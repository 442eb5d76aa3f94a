import type { Answer } from './exchange';
import type { Step, Until } from './wire';

/** What the contract has for what was sent. */
export interface Expected {
  /** Of the answer; several where versions of nginx differ. 101 where it is a WebSocket that is refused later. */
  readonly status?: number | readonly number[];
  /** Of the problem document, be it the answer's or the one in a WebSocket's last message. */
  readonly code?: string;
  /** That a WebSocket is closed with. */
  readonly close?: number | readonly number[];
  /** Headers that must be there; `undefined` for one that must not. */
  readonly headers?: Readonly<Record<string, string | RegExp | undefined>>;
  readonly body?: RegExp;
  /** No answer: the connection is closed without a word. */
  readonly silence?: true;
  /** From the first byte sent. Unless told, an answer must come within seconds of the last one. */
  readonly betweenMs?: readonly [number, number];
  /** A vibe was started by it, or audio taken: the state is another one afterwards. */
  readonly changes?: true;
}

/** One thing that somebody sends to a door, and what comes of it. */
export interface Row {
  readonly name: string;
  /** What was sent before, and taken. */
  readonly given?: readonly (Step | Until)[];
  readonly send: Step | readonly Step[];
  readonly expect: Expected;
  /** Where nginx, in front of the relay, says it differently by itself. */
  readonly throughNginx?: Expected;
  /** Says nothing through nginx, which reads control bodies to their end by itself, and asks for no pace. */
  readonly isDirect?: true;
  /** Takes seconds, of which nearly all are waiting: sent at the same time as all such rows. */
  readonly slow?: true;
}

/** A stack, or a path of this machine. */
const INTERNALS = /node_modules|\.[cm]?[jt]s:\d|^\s+at \S|Error: /m;
const MEMBERS = ['type', 'title', 'detail', 'instance', 'code', 'requestId', 'error'] as const;

/** What the row expects, for the title of its test. */
export function told({ status, code, close, silence }: Expected): string {
  const words = [close === undefined ? status : `close ${String(close)}`, code, silence && 'silence'];
  return words.filter((word) => word !== undefined).join(' ');
}

/** Holds an answer against what was expected of it. */
export function check(answer: Answer, expected: Expected): void {
  const { status, code, close, headers = {}, body, silence } = expected;
  expect(answer.body).not.toMatch(INTERNALS);
  if (silence) {
    expect([answer.status, answer.body]).toEqual([0, '']);
    return;
  }
  if (close === undefined && (status !== undefined || !body)) checkAnswer(answer, status ?? 200, code);
  else if (close === undefined) expect(answer.status).toBe(0);
  else checkClose(answer, close, code);
  for (const [name, value] of Object.entries(headers)) {
    const given = answer.headers.get(name);
    if (value instanceof RegExp) expect([name, given]).toEqual([name, expect.stringMatching(value)]);
    else expect([name, given]).toEqual([name, value]);
  }
  if (body) expect(answer.body).toMatch(body);
}

function checkAnswer(answer: Answer, status: number | readonly number[], code: string | undefined): void {
  if (![status].flat().includes(answer.status))
    throw new Error(`${answer.status} instead of ${String(status)}: ${answer.body.slice(0, 500)}`);
  if (code === undefined) return;
  expect(answer.headers.get('content-type')).toMatch(/^application\/problem\+json/);
  checkProblem(JSON.parse(answer.body), code, answer.status);
}

function checkClose(answer: Answer, close: number | readonly number[], code: string | undefined): void {
  const last = answer.messages.at(-1);
  if (answer.closeCode === undefined || ![close].flat().includes(answer.closeCode))
    throw new Error(
      `${answer.status}, closed with ${answer.closeCode} instead of ${String(close)}: ` +
        (answer.body.slice(0, 500) || JSON.stringify(last)),
    );
  if (code === undefined) return;
  expect(last).toMatchObject({ type: 'error' });
  checkProblem(last?.['problem'], code);
}

function checkProblem(problem: unknown, code: string, status?: number): void {
  const known = problem as Record<string, unknown>;
  expect(known).toMatchObject({ code, ...(status === undefined ? {} : { status }) });
  for (const member of MEMBERS) expect([member, typeof known[member]]).toEqual([member, 'string']);
  expect(JSON.stringify(problem)).not.toMatch(INTERNALS);
}
