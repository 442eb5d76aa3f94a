import type { Express, RequestHandler } from 'express';
import { Problem } from '../base/errors';

/** What happens at a path, by method. */
export interface Door {
  readonly get?: RequestHandler;
  readonly post?: RequestHandler;
  readonly delete?: RequestHandler;
}

/**
 * Opens doors at a path. The path is known from then on: other methods are answered with 405 and what is allowed.
 */
export function openDoor(app: Express, path: string, door: Door): void {
  const route = app.route(path);
  if (door.get) route.get(door.get);
  if (door.post) route.post(door.post);
  if (door.delete) route.delete(door.delete);
  const allow = [
    ...(door.get ? ['GET', 'HEAD'] : []),
    ...(door.post ? ['POST'] : []),
    ...(door.delete ? ['DELETE'] : []),
  ];
  route.all((req) => {
    throw new Problem('method-not-allowed', `${req.method} is not allowed here; ${allow.join(', ')} is.`, {
      allow,
    });
  });
}
