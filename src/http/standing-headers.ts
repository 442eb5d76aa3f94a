import type { Request, RequestHandler, Response } from 'express';
import type { Config } from '../base/config';
import { crossOrigin, securityHeaders } from './security';

/**
 * The headers that stand on every answer, whatever it says: those of security and CORS. They are what Express's
 * middleware sets, recorded once, because working them out anew takes longer than reading 20 ms of audio.
 */
export class StandingHeaders {
  readonly #byOrigin: ReadonlyMap<string, readonly string[]>;
  readonly #otherwise: readonly string[];

  constructor(config: Pick<Config, 'publicUrl' | 'playbackUrl' | 'corsOrigins'>) {
    const middleware = [securityHeaders(config), crossOrigin(config)];
    const origins = config.corsOrigins === '*' ? [] : config.corsOrigins;
    this.#otherwise = record(middleware, {});
    this.#byOrigin = new Map(origins.map((origin) => [origin, record(middleware, { origin })]));
  }

  /**
   * Names and values in turn, as `writeHead` takes them.
   * @param origin the page's, where a page asks
   */
  for(origin: string | undefined): readonly string[] {
    return (origin === undefined ? undefined : this.#byOrigin.get(origin)) ?? this.#otherwise;
  }
}

/** What middleware sets on the answer to a POST with these headers. */
function record(middleware: readonly RequestHandler[], headers: Readonly<Record<string, string>>): string[] {
  const set = new Map<string, [string, string]>();
  const res = {
    setHeader: (name: string, value: string) => set.set(name.toLowerCase(), [name, String(value)]),
    getHeader: (name: string) => set.get(name.toLowerCase())?.[1],
    removeHeader: (name: string) => set.delete(name.toLowerCase()),
  };
  // Of request and answer, this middleware looks at no more.
  const req = { method: 'POST', headers };
  for (const handler of middleware)
    void handler(req as unknown as Request, res as unknown as Response, () => undefined);
  return [...set.values()].flat();
}
