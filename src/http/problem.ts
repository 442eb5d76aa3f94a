import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Clock } from '../base/clock';
import { Problem } from '../base/errors';
import type { Logger } from '../base/logger';
import { redact } from '../base/logger';
import { BodyAborted } from './body-reader';
import type { HttpContext } from './context';
import { hasBody, isAwaitingContinue } from './request-body';

/** A refused body is read on and thrown away, up to here, so that the answer is not lost in a connection reset. */
const LINGER_BYTES = 8 * 1024 * 1024;
const LINGER_MS = 3_000;
/** Where the problem does not know better. */
const RETRY_AFTER_SECONDS = 1;

/** An RFC 9457 problem document. `error` repeats the detail: the member that existing apps look at. */
export function problemDocument(
  problem: Problem,
  about: { instance: string; requestId: string },
): Record<string, unknown> {
  return {
    ...problem.extra,
    type: `urn:vibesflow:problem:${problem.code}`,
    title: problem.title,
    status: problem.status,
    detail: problem.message,
    instance: about.instance.slice(0, 256),
    code: problem.code,
    requestId: about.requestId,
    error: problem.message,
  };
}

/** The headers of a problem's answer, its body's length left out. */
export function problemHeaders(problem: Problem): Record<string, string> {
  const headers: Record<string, string> = {
    'Content-Type': 'application/problem+json; charset=utf-8',
    'Cache-Control': 'no-store',
  };
  const { retryAfterSeconds, allow } = problem.extra;
  if (typeof retryAfterSeconds === 'number' || problem.retryable) {
    const seconds = typeof retryAfterSeconds === 'number' ? retryAfterSeconds : RETRY_AFTER_SECONDS;
    headers['Retry-After'] = String(Math.max(1, Math.ceil(seconds)));
  }
  if (Array.isArray(allow)) headers['Allow'] = allow.join(', ');
  if (problem.status === 401)
    headers['WWW-Authenticate'] =
      problem.code === 'invalid-token' ? 'Bearer error="invalid_token"' : 'Bearer';
  if (problem.code === 'upgrade-required') headers['Upgrade'] = 'websocket';
  return headers;
}

/**
 * What a client may know of an error. Anything that is no `Problem` is a mistake in the program: it is logged with its
 * stack, and the client learns the request id only.
 */
export function toProblem(
  error: unknown,
  logger: Logger,
  about: { path: string; requestId: string },
): Problem {
  if (error instanceof Problem) return error;
  if (isBadRequest(error))
    return new Problem('bad-request', 'The request’s path or headers cannot be understood.');
  logger.error({ err: error, path: redact(about.path), requestId: about.requestId }, 'a request failed');
  return new Problem('internal-error', `Something went wrong; the log knows more about ${about.requestId}.`);
}

/** Express and its parts mark what the client did wrong, such as a malformed percent escape. */
function isBadRequest(error: unknown): boolean {
  if (error instanceof URIError) return true;
  const status = (error as { status?: unknown } | undefined)?.status;
  return typeof status === 'number' && status >= 400 && status < 500;
}

/** Answers a request that failed, counts it, and logs what is our mistake. `X-Request-Id` is set already. */
export function answerError(
  error: unknown,
  req: IncomingMessage,
  res: ServerResponse,
  {
    clock,
    guests,
    audit,
    logger,
    metrics,
  }: Pick<HttpContext, 'clock' | 'guests' | 'audit' | 'logger' | 'metrics'>,
): void {
  // Nobody is left to be answered.
  if (error instanceof BodyAborted) return void res.destroy();
  const requestId = String(res.getHeader('X-Request-Id') ?? '');
  const why = toProblem(error, logger, { path: originalUrl(req), requestId });
  const problem = guests.refused(req, why);
  metrics.problems.inc({ code: problem.code });
  audit.refused(req, why);
  answerProblem(req, res, problem, clock);
}

/**
 * Answers with a problem. Where the request's body is not read yet, the connection is closed after the answer, but not
 * at once: closing a socket with unread bytes resets it, and typical clients would lose the answer.
 */
export function answerProblem(
  req: IncomingMessage,
  res: ServerResponse,
  problem: Problem,
  clock: Clock,
): void {
  if (res.headersSent || res.destroyed) {
    res.destroy();
    return;
  }
  const requestId = String(res.getHeader('X-Request-Id') ?? '');
  const instance = pathOf(originalUrl(req));
  const body = Buffer.from(JSON.stringify(problemDocument(problem, { instance, requestId })));
  for (const [name, value] of Object.entries(problemHeaders(problem))) res.setHeader(name, value);
  res.setHeader('Content-Length', body.length);
  res.statusCode = problem.status;
  const isUnread = hasBody(req) && !req.complete;
  if (isUnread) res.setHeader('Connection', 'close');
  if (!isUnread || isAwaitingContinue(req)) {
    res.end(req.method === 'HEAD' ? undefined : body);
    return;
  }
  res.write(body);
  drain(req, clock, () => res.end());
}

/** Throws the rest of a body away until it ends, breaks off, or is too much. */
function drain(req: IncomingMessage, clock: Clock, onDone: () => void): void {
  let left = LINGER_BYTES;
  let isDone = false;
  const finish = (): void => {
    if (isDone) return;
    isDone = true;
    timer.cancel();
    onDone();
  };
  const timer = clock.after(LINGER_MS, finish, { background: true });
  req.on('error', finish);
  req.on('end', finish);
  req.on('close', finish);
  req.on('data', (bytes: Buffer) => {
    left -= bytes.length;
    if (left < 0) finish();
  });
  req.resume();
}

export function pathOf(url: string): string {
  return url.split('?', 1)[0] as string;
}

function originalUrl(req: IncomingMessage): string {
  return (req as { originalUrl?: string }).originalUrl ?? req.url ?? '/';
}
