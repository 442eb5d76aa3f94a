import http from 'node:http';
import type { Clock } from '../../base/clock';
import { parseSrsVersion, type SrsVersion } from '../srs/lines';

/** Who answers at SRS's API. */
export interface Presence {
  readonly pid: number;
  /** New with each start. */
  readonly service: string;
  /** Kept in a file beside the pid file: the same over restarts. */
  readonly server: string;
  readonly version: SrsVersion;
}

/** It takes SRS a millisecond. */
const ANSWER_WITHIN_MS = 1_000;
const MAX_BYTES = 64 * 1024;

/**
 * Asks who serves the API. Each time on a connection of its own: where two processes share the port, the kernel decides
 * anew for each connection.
 * @throws {Error} that says in words why there is no answer
 */
export async function presence(baseUrl: string, clock: Clock): Promise<Presence> {
  const { pid, service, server, data } = JSON.parse(
    await get(new URL('/api/v1/versions', baseUrl), clock),
  ) as Record<string, unknown>;
  const { version } = (data ?? {}) as Record<string, unknown>;
  const release = parseSrsVersion(String(version));
  if (!release || !Number.isInteger(Number(pid))) throw new Error('what answers is not SRS');
  return { pid: Number(pid), service: String(service), server: String(server), version: release };
}

/**
 * How long SRS has been running.
 * @throws {Error} as `presence`
 */
export async function uptimeSeconds(baseUrl: string, clock: Clock): Promise<number> {
  const { data } = JSON.parse(await get(new URL('/api/v1/summaries', baseUrl), clock)) as {
    data?: { self?: { srs_uptime?: unknown } };
  };
  return Number(data?.self?.srs_uptime) || 0;
}

async function get(url: URL, clock: Clock): Promise<string> {
  return new Promise((resolve, reject) => {
    const request = http.get(url, { agent: false }, (response) => {
      const parts: Buffer[] = [];
      let bytes = 0;
      response.on('data', (part: Buffer) => {
        parts.push(part);
        bytes += part.length;
        if (bytes > MAX_BYTES) fail(new Error('what answers is not SRS'));
      });
      response.on('error', (error) => fail(error));
      response.on('end', () => {
        limit.cancel();
        resolve(Buffer.concat(parts).toString('utf8'));
      });
    });
    const fail = (error: NodeJS.ErrnoException): void => {
      limit.cancel();
      request.destroy();
      reject(error.code === 'ECONNREFUSED' ? new Error('nothing listens there') : error);
    };
    const limit = clock.after(ANSWER_WITHIN_MS, () => fail(new Error('no answer within a second')), {
      background: true,
    });
    request.on('error', fail);
  });
}
