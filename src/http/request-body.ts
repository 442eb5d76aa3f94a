import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http';
import { Problem } from '../base/errors';

const awaiting = new WeakSet<IncomingMessage>();

/** Remembers that a client waits for `100 Continue` before it sends its body. */
export function markAwaitingContinue(req: IncomingMessage): void {
  awaiting.add(req);
}

export function isAwaitingContinue(req: IncomingMessage): boolean {
  return awaiting.has(req);
}

/** Lets a waiting client send its body; nothing for all others. Idempotent. */
export function continueBody(req: IncomingMessage, res: ServerResponse): void {
  if (!awaiting.delete(req)) return;
  res.writeContinue();
}

/**
 * Checks that a body is what it stands for. Node takes HTTP's chunks apart and nothing else: what is compressed on its way
 * would be taken for samples, and heard as noise.
 * @throws {Problem} `unsupported-format` (415)
 */
export function checkCoding(headers: IncomingHttpHeaders): void {
  const content = headers['content-encoding']?.trim().toLowerCase();
  if (content && content !== 'identity')
    throw new Problem('unsupported-format', 'Bodies must be sent without Content-Encoding.');
  const transfer = headers['transfer-encoding']?.trim().toLowerCase();
  if (transfer !== undefined && transfer !== 'chunked')
    throw new Problem('unsupported-format', 'Bodies must be sent with no Transfer-Encoding but chunked.');
}

/** Whether the request has a body, be it one of unknown length. */
export function hasBody(req: IncomingMessage): boolean {
  return req.headers['transfer-encoding'] !== undefined || (announcedLength(req) ?? 0) > 0;
}

/** The `Content-Length`; nothing for a body of unknown length and for a request without a body. */
export function announcedLength(req: IncomingMessage): number | undefined {
  if (req.headers['transfer-encoding'] !== undefined) return undefined;
  const text = req.headers['content-length'];
  return text === undefined ? undefined : Number(text);
}
