import type { IncomingMessage, ServerResponse } from 'node:http';
import type { HttpContext } from './context';
import { hostFault } from './hosts';
import { type Receipt, takeAudio } from './ingest-http';
import { answerError } from './problem';
import { requestIdOf } from './request-id';
import { StandingHeaders } from './standing-headers';

/** The route, as the metrics call it. */
const ROUTE = '/stream/:vibeId/audio';
/** The door's path as creators write it. Whatever looks different, such as escapes in the id, goes through Express. */
const PATH = /^\/stream\/([A-Za-z0-9][A-Za-z0-9_-]{0,127})\/audio(?:$|\?)/;

/**
 * An entrance of its own for `POST /stream/:vibeId/audio`, which comes fifty times a second from each creator: past
 * Express, whose routing and middleware cost more than the audio. What is taken, refused and answered is the same.
 * @returns whether the request was for it; Express serves all others
 */
export function audioEntrance(context: HttpContext): (req: IncomingMessage, res: ServerResponse) => boolean {
  const { metrics } = context;
  const standing = new StandingHeaders(context.config);
  const taken = metrics.httpRequests.labels({ route: ROUTE, status: '202' });

  const serve = async (req: IncomingMessage, res: ServerResponse, vibeId: string): Promise<void> => {
    const headers = [
      ...['X-Request-Id', requestIdOf(req), 'Cache-Control', 'no-store'],
      ...standing.for(req.headers.origin),
    ];
    try {
      const receipt = await takeAudio(req, res, vibeId, context);
      if (receipt) answer(res, receipt, headers);
    } catch (error) {
      for (let at = 0; at < headers.length && !res.headersSent; at += 2)
        res.setHeader(headers[at] as string, headers[at + 1] as string);
      answerError(error, req, res, context);
    }
  };

  return (req, res) => {
    if (req.method !== 'POST') return false;
    const vibeId = PATH.exec(req.url as string)?.[1];
    if (vibeId === undefined || hostFault(req) !== undefined) return false;
    res.on('close', () => {
      if (!res.headersSent) metrics.httpRequests.inc({ route: ROUTE, status: 'aborted' });
      else if (res.statusCode === 202) taken.inc();
      else metrics.httpRequests.inc({ route: ROUTE, status: String(res.statusCode) });
    });
    void serve(req, res, vibeId);
    return true;
  };
}

/** As a string, the body goes out with the head in one piece. */
function answer(res: ServerResponse, receipt: Receipt, headers: string[]): void {
  const body = JSON.stringify(receipt);
  headers.push('Content-Type', 'application/json; charset=utf-8');
  headers.push('Content-Length', String(Buffer.byteLength(body)));
  res.writeHead(202, headers);
  res.end(body);
}
