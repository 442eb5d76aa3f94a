import type { IncomingMessage } from 'node:http';
import { isIP } from 'node:net';
import express from 'express';
import { ipKeyGenerator } from 'express-rate-limit';
import type { Config } from '../base/config';

/** A subscriber has an IPv6 network of 56 bits, and an address of its own for each connection. */
const IPV6_BITS = 56;
const MAPPED = /^::ffff:(?=\d+\.)/i;

/**
 * Tells which network a request comes from, as limits count: an IPv4 address, or the first 56 bits of an IPv6 address.
 * Proxies that are trusted say for whom they ask, as `TRUST_PROXY` has it. For requests that never meet Express, too.
 * @returns a function that gives nothing for this machine itself: its own programs are not limited
 */
export function networkReader({
  trustProxy,
}: Pick<Config, 'trustProxy'>): (req: IncomingMessage) => string | undefined {
  const app = express();
  app.set('trust proxy', trustProxy);
  const trusts = app.get('trust proxy fn') as (address: string, hop: number) => boolean;
  return (req) => {
    const address = clientOf(req, trusts).replace(MAPPED, '');
    if (isLoopback(address)) return undefined;
    return isIP(address) === 6 ? ipKeyGenerator(address, IPV6_BITS) : address.slice(0, 64);
  };
}

/** Back along the proxies, up to the first that is not trusted. */
function clientOf(req: IncomingMessage, trusts: (address: string, hop: number) => boolean): string {
  let address = req.socket.remoteAddress ?? '';
  const said = req.headers['x-forwarded-for'];
  if (typeof said !== 'string') return address;
  const before = said.split(',').map((each) => each.trim());
  for (let hop = 0; before.length > 0 && trusts(address, hop); hop += 1) address = before.pop() as string;
  return address;
}

function isLoopback(address: string): boolean {
  return address === '::1' || address.startsWith('127.') || address === '';
}
