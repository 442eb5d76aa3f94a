import { isIP } from 'node:net';

// How the text of a setting becomes its value. Each throws an Error whose message completes "NAME …".

/** A whole number within bounds. */
export function integer(min: number, max: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (!/^\d+$/.test(text) || value < min || value > max)
      throw new Error(`must be a whole number from ${min} to ${max}`);
    return value;
  };
}

/** One of some words. */
export function oneOf<T extends string>(...words: T[]): (text: string) => T {
  return (text) => {
    const word = words.find((candidate) => candidate === text);
    if (word === undefined) throw new Error(`must be ${words.join(' or ')}`);
    return word;
  };
}

/** A URL without query or fragment, and without slashes at its end. */
export function url(...protocols: string[]): (text: string) => string {
  return (text) => {
    const parsed = URL.canParse(text) ? new URL(text) : undefined;
    if (!parsed || !protocols.includes(parsed.protocol))
      throw new Error(`must be a URL that begins with ${protocols.map((p) => `${p}//`).join(' or ')}`);
    if (!parsed.hostname || parsed.search || parsed.hash)
      throw new Error('must name a host, and end before any ? or #');
    return text.replace(/\/+$/, '');
  };
}

/** Whether Express takes it as the name of proxies: it would throw at what it does not know. */
export function isProxy(text: string): boolean {
  if (['loopback', 'linklocal', 'uniquelocal'].includes(text)) return true;
  const [, address = '', bits] = /^([^/]+)(?:\/(\d{1,3}))?$/.exec(text) ?? [];
  const family = isIP(address);
  const range = Number(bits ?? 1);
  return family !== 0 && range >= 1 && range <= (family === 6 ? 128 : 32);
}
