import type { IncomingMessage } from 'node:http';

/**
 * What is wrong with the hosts that a request names. HTTP/1.1 wants exactly one (RFC 9112, 3.2); Node lets a second one
 * pass, and proxies may read the other one.
 * @returns nothing where nothing is
 */
export function hostFault({ rawHeaders, httpVersion }: IncomingMessage): string | undefined {
  let hosts = 0;
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const name = rawHeaders[at] as string;
    if (name.length === 4 && name.toLowerCase() === 'host') hosts += 1;
  }
  if (hosts > 1) return 'The request names two hosts.';
  return hosts === 0 && httpVersion !== '1.0' ? 'The request names no host.' : undefined;
}
