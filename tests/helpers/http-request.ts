import type http from 'node:http';
import { HANGS_AFTER_MS } from './patience';
import { webRequest } from './web';

export interface HttpAnswer {
  readonly status: number;
  readonly headers: http.IncomingHttpHeaders;
  readonly body: Buffer;
}

export interface HttpRequest {
  readonly method?: string;
  readonly headers?: http.OutgoingHttpHeaders;
  readonly body?: Buffer | string;
  readonly agent?: http.Agent;
  readonly withinMs?: number;
}

/** One HTTP request, and its answer, whatever the status. Every call has a bound. */
export async function httpRequest(url: string, request: HttpRequest = {}): Promise<HttpAnswer> {
  const { method = 'GET', headers = {}, body, agent, withinMs = HANGS_AFTER_MS } = request;
  return new Promise((resolve, reject) => {
    const length = body === undefined ? {} : { 'content-length': Buffer.byteLength(body) };
    const sent = webRequest(url, { method, agent, headers: { ...length, ...headers } }, (answer) => {
      const parts: Buffer[] = [];
      answer.on('data', (bytes: Buffer) => parts.push(bytes));
      answer.once('error', reject);
      answer.once('end', () => {
        clearTimeout(timer);
        resolve({ status: answer.statusCode ?? 0, headers: answer.headers, body: Buffer.concat(parts) });
      });
    });
    const timer = setTimeout(
      () => sent.destroy(new Error(`${method} ${url}: no answer in ${withinMs} ms`)),
      withinMs,
    );
    sent.once('error', (error) => {
      clearTimeout(timer);
      reject(error);
    });
    sent.end(body);
  });
}

/** A request with a JSON body (where there is one) and a JSON answer. */
export async function jsonRequest(
  url: string,
  options: { method?: string; json?: unknown } = {},
): Promise<{ status: number; json: Record<string, unknown> }> {
  const { method = options.json === undefined ? 'GET' : 'POST', json } = options;
  const answer = await httpRequest(url, {
    method,
    headers: json === undefined ? {} : { 'content-type': 'application/json' },
    body: json === undefined ? undefined : JSON.stringify(json),
  });
  const text = answer.body.toString();
  try {
    return { status: answer.status, json: JSON.parse(text) as Record<string, unknown> };
  } catch {
    throw new Error(`${method} ${url}: ${answer.status} with no JSON: ${text.slice(0, 300)}`);
  }
}
