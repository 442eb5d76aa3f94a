import { STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';
import type { Problem } from '../base/errors';
import { problemDocument, problemHeaders } from './problem';

/** Answers with a problem on a socket that has no response object, and closes it once the answer is on its way. */
export function answerRaw(
  socket: Duplex,
  problem: Problem,
  about: { instance: string; requestId: string },
  moreHeaders: Readonly<Record<string, string>> = {},
): void {
  const body = Buffer.from(JSON.stringify(problemDocument(problem, about)));
  const headers = {
    ...problemHeaders(problem),
    'Content-Length': body.length,
    'X-Request-Id': about.requestId,
    ...moreHeaders,
    Connection: 'close',
  };
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}`);
  const status = `HTTP/1.1 ${problem.status} ${STATUS_CODES[problem.status] ?? ''}`;
  socket.once('finish', () => socket.destroy());
  socket.end(Buffer.concat([Buffer.from([status, ...lines, '', ''].join('\r\n'), 'latin1'), body]));
}
