import { randomUUID } from 'node:crypto';
import { type IncomingMessage, type ServerResponse, STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';
import type { Problem } from '../../base/errors';

/** On every answer: any page may play, and nothing here is anything but what it says it is. */
const COMMON_HEADERS = {
  'Access-Control-Allow-Origin': '*',
  'Access-Control-Expose-Headers': 'Content-Length, Date, Retry-After',
  'Cross-Origin-Resource-Policy': 'cross-origin',
  'Timing-Allow-Origin': '*',
  'X-Content-Type-Options': 'nosniff',
} as const;

export const ALLOWED_METHODS = 'GET, HEAD, OPTIONS';

/** A complete answer. The body stays away where the request was HEAD. */
export function answer(
  response: ServerResponse,
  status: number,
  headers: Record<string, string | number>,
  body?: Buffer | string,
): void {
  const length = body === undefined ? {} : { 'Content-Length': Buffer.byteLength(body) };
  response.writeHead(status, { ...COMMON_HEADERS, ...headers, ...length });
  response.end(body);
}

/** The head of an answer that goes on for as long as the stream does; sent at once. */
export function answerStream(response: ServerResponse, headers: Record<string, string>): void {
  response.writeHead(200, { ...COMMON_HEADERS, ...headers });
  response.flushHeaders();
}

/** To a page's question whether it may ask. */
export function answerPreflight(response: ServerResponse): void {
  answer(response, 204, {
    Allow: ALLOWED_METHODS,
    'Access-Control-Allow-Methods': ALLOWED_METHODS,
    'Access-Control-Allow-Headers': '*',
    'Access-Control-Max-Age': 86_400,
  });
}

/** A refusal as `application/problem+json` (RFC 9457). */
export function answerProblem(
  request: IncomingMessage,
  response: ServerResponse,
  problem: Problem,
  headers: Record<string, string | number> = {},
): void {
  const requestId = randomUUID();
  const instance = (request.url ?? '/').replace(/\?.*$/s, '').slice(0, 256);
  answer(
    response,
    problem.status,
    { ...PROBLEM_HEADERS, 'X-Request-Id': requestId, ...headers },
    problemBody(problem, { instance, requestId }),
  );
}

/** The same where there was no request as it should be; the connection is closed after it. */
export function answerBroken(socket: Duplex, problem: Problem): void {
  const requestId = randomUUID();
  const body = problemBody(problem, { instance: '/', requestId });
  const headers = {
    ...COMMON_HEADERS,
    ...PROBLEM_HEADERS,
    'X-Request-Id': requestId,
    'Content-Length': Buffer.byteLength(body),
    Connection: 'close',
  };
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}`);
  const status = `HTTP/1.1 ${problem.status} ${STATUS_CODES[problem.status] ?? ''}`;
  socket.once('finish', () => socket.destroy());
  socket.end([status, ...lines, '', body].join('\r\n'));
}

const PROBLEM_HEADERS = { 'Content-Type': 'application/problem+json', 'Cache-Control': 'no-store' } as const;

function problemBody(problem: Problem, about: { instance: string; requestId: string }): string {
  return JSON.stringify({
    type: `urn:vibesflow:problem:${problem.code}`,
    title: problem.title,
    status: problem.status,
    detail: problem.message,
    code: problem.code,
    ...about,
    error: problem.message,
  });
}
