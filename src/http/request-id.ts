import { randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';

/** An id of the client's or a proxy's own, where it is harmless in logs and headers. */
const SANE = /^[A-Za-z0-9._:-]{1,128}$/;

/** The id that goes with a request through answers and logs. */
export function requestIdOf(req: IncomingMessage): string {
  const said = req.headers['x-request-id'];
  return typeof said === 'string' && SANE.test(said) ? said : randomUUID();
}
