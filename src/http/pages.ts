import path from 'node:path';
import express, { type Express, type RequestHandler } from 'express';
import { openDoor } from './doors';

/** The pages stand beside this folder, in the sources as in the build. */
const WEB = path.resolve(__dirname, '../web');
const MPEGTS = require.resolve('mpegts.js');

/** The pages and what they load. All of it comes from here: nothing is fetched from other hosts. */
export function openPages(app: Express): void {
  openDoor(app, '/', { get: page('index.html') });
  openDoor(app, '/listen/:vibeId', { get: page('listen.html') });
  openDoor(app, '/assets/mpegts.js', { get: file(MPEGTS) });
  app.use(
    '/assets',
    express.static(path.join(WEB, 'assets'), {
      index: false,
      redirect: false,
      dotfiles: 'ignore',
      setHeaders: (res) => void res.setHeader('Cache-Control', 'no-cache'),
    }),
  );
}

function page(name: string): RequestHandler {
  return file(path.join(WEB, name));
}

/** Sends a file that browsers keep, and ask after each time. */
function file(absolute: string): RequestHandler {
  return (_req, res, next) => {
    res.setHeader('Cache-Control', 'no-cache');
    res.sendFile(absolute, (error: NodeJS.ErrnoException | undefined) => {
      // Whoever has gone away meanwhile is no mistake of the program's.
      if (error && error.code !== 'ECONNABORTED' && !res.headersSent) next(error);
    });
  };
}
