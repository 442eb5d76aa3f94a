import http from 'node:http';
import https from 'node:https';
import { rootCertificates, type TLSSocket } from 'node:tls';

export interface AskOptions {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  /** Certificates to trust besides the system's, PEM. */
  readonly ca?: string;
  readonly withinMs?: number;
}

export interface Asked {
  readonly status: number;
  readonly headers: http.IncomingHttpHeaders;
  /** Its first 64 KiB. */
  readonly body: Buffer;
  /** When the certificate ends, epoch milliseconds; only over TLS. */
  readonly certificateUntilMs?: number;
}

const WITHIN_MS = 5_000;
const MAX_BODY_BYTES = 64 * 1024;

/**
 * One request on a connection of its own, redirects not followed, certificates checked.
 * @throws {Error} where there is no answer in time; its `code` is Node's or OpenSSL's
 */
export function ask(address: string | URL, options: AskOptions = {}): Promise<Asked> {
  const url = new URL(address);
  const { method = 'GET', headers = {}, body, ca, withinMs = WITHIN_MS } = options;
  const client = url.protocol === 'https:' ? https : http;
  return new Promise((resolve, reject) => {
    const request = client.request(
      url,
      { method, headers, agent: false, ...(ca === undefined ? {} : { ca: [...rootCertificates, ca] }) },
      (response) => {
        const certificate = (response.socket as Partial<TLSSocket>).getPeerCertificate?.();
        const parts: Buffer[] = [];
        let bytes = 0;
        const done = (): void => {
          clearTimeout(timer);
          request.destroy();
          resolve({
            status: response.statusCode ?? 0,
            headers: response.headers,
            body: Buffer.concat(parts).subarray(0, MAX_BODY_BYTES),
            ...(certificate ? { certificateUntilMs: Date.parse(certificate.valid_to) } : {}),
          });
        };
        response.on('data', (part: Buffer) => {
          parts.push(part);
          bytes += part.length;
          if (bytes >= MAX_BODY_BYTES) done();
        });
        response.once('end', done);
      },
    );
    const timer = setTimeout(
      () => request.destroy(new Error(`no answer within ${withinMs / 1000} s`)),
      withinMs,
    );
    request.once('error', (error) => {
      clearTimeout(timer);
      reject(error);
    });
    request.end(body);
  });
}

/** The body as JSON; nothing where it is none. */
export function json({ body }: Asked): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(body.toString());
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}
