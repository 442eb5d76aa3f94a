import http from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { randomUUID } from 'node:crypto';
import { settlesWithin } from '../base/clock';
import { once } from '../base/closer';
import { brokenHttp, EXIT_UNAVAILABLE, OperatorError, Problem } from '../base/errors';
import { openFilesLimit } from '../base/open-files';
import { createApp } from './app';
import { audioEntrance } from './audio-entrance';
import { createContext, type HttpContext, type HttpHouse } from './context';
import { Crowd } from './crowd';
import { answerError } from './problem';
import { answerRaw } from './raw-answer';
import { markAwaitingContinue } from './request-body';
import { requestIdOf } from './request-id';
import { serveWithoutUpgrade } from './unupgraded';
import { Upgrades } from './upgrade';

/** Slow headers are an attack or an accident. */
const HEADERS_MS = 10_000;
/** How often Node looks for slow headers: its default, 30 s, would make 10 s up to 40. */
const CHECK_MS = 2_000;
/** Longer than a proxy keeps its connections to us (nginx: 60 s), so that it never meets a closing one. */
const KEEP_ALIVE_MS = 75_000;
const MAX_HEADER_BYTES = 16 * 1024;
/** What answers and closes under way may take when the listener is closed. */
const CLOSE_MS = 3_000;

export interface HttpServer {
  /** Resolves with the port. @throws {OperatorError} exit code 69, where the address cannot be had */
  listen(): Promise<number>;
  /** Refuses what is open, lets answers be read, then closes every connection. Idempotent. */
  close(): Promise<void>;
}

/**
 * The daemon's HTTP and WebSocket listener.
 * @param openFiles descriptors that this process may have
 */
export function createHttpServer(house: HttpHouse, openFiles = openFilesLimit()): HttpServer {
  const context = createContext(house);
  const app = createApp(context);
  const isAudio = audioEntrance(context);
  let isClosing = false;
  const server = http.createServer({
    // A body may take hours; there are bounds on its pauses instead.
    requestTimeout: 0,
    headersTimeout: HEADERS_MS,
    connectionsCheckingInterval: CHECK_MS,
    keepAliveTimeout: KEEP_ALIVE_MS,
    maxHeaderSize: MAX_HEADER_BYTES,
    // Node's refusal would be no problem document.
    requireHostHeader: false,
    noDelay: true,
  });
  const crowd = new Crowd(openFiles, house.logger);
  server.maxConnections = crowd.most;
  server.on('connection', (socket) => crowd.add(socket));
  server.on('drop', () => context.metrics.problems.inc({ code: 'too-many-connections' }));
  const exchanges = new WeakMap<Duplex, Exchange>();
  const note = (req: http.IncomingMessage, res: http.ServerResponse): void => {
    exchanges.set(req.socket, { latest: res, before: exchanges.get(req.socket)?.latest });
  };
  const onRequest = (req: http.IncomingMessage, res: http.ServerResponse): void => {
    note(req, res);
    if (isClosing) res.setHeader('Connection', 'close');
    res.once('close', () => isClosing && setImmediate(() => server.closeIdleConnections()));
    if (crowd.isUnwelcome(req.socket)) {
      res.setHeader('Connection', 'close');
      return refuse(req, res, noRoom());
    }
    context.guests.arrived(req);
    if (!isAudio(req, res)) app(req, res);
  };
  server.on('request', onRequest);
  server.on('checkContinue', (req, res) => {
    markAwaitingContinue(req);
    onRequest(req, res);
  });
  server.on('checkExpectation', (req, res) => {
    note(req, res);
    refuse(req, res, new Problem('expectation-failed', 'Only 100-continue can be expected here.'));
  });
  function refuse(req: http.IncomingMessage, res: http.ServerResponse, problem: Problem): void {
    res.setHeader('X-Request-Id', requestIdOf(req));
    answerError(problem, req, res, context);
  }
  const upgrades = new Upgrades(context);
  server.on('upgrade', (req, socket, head) => {
    if (crowd.isUnwelcome(socket))
      answerRaw(socket, noRoom(), { instance: '/', requestId: requestIdOf(req) });
    else if (req.headers.upgrade?.toLowerCase() === 'websocket') upgrades.handle(req, socket, head);
    else serveWithoutUpgrade(server, req, socket, head);
  });
  server.on('clientError', (error, socket) => refuseBroken(error, socket, exchanges.get(socket)));

  return {
    listen: () => listen(server, house.config),
    close: once(async () => {
      isClosing = true;
      if (!server.listening) return;
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      refuseAll(context);
      server.closeIdleConnections();
      await settlesWithin(context.clock, CLOSE_MS, closed);
      crowd.disperse();
      await closed;
    }),
  };
}

function noRoom(): Problem {
  return new Problem('too-many-connections', 'There are too many connections to this relay.', {
    retryAfterSeconds: 2,
  });
}

/** Bodies and WebSockets that would last are told to come back. */
function refuseAll({ openDoors }: HttpContext): void {
  const restarting = new Problem('draining', 'The relay is restarting.', { retryAfterSeconds: 2 });
  for (const door of [...openDoors]) door.refuse(restarting);
}

async function listen(server: http.Server, { port, host }: { port: number; host: string }): Promise<number> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      reject(new OperatorError(whyNot(error, `${host}:${port}`), EXIT_UNAVAILABLE));
    });
    server.listen(port, host, resolve);
  });
  return (server.address() as AddressInfo).port;
}

function whyNot(error: NodeJS.ErrnoException, address: string): string {
  if (error.code === 'EADDRINUSE')
    return `Cannot listen on ${address}: another program does; choose another PORT`;
  if (error.code === 'EACCES') return `Cannot listen on ${address}: not permitted; choose a PORT above 1023`;
  if (error.code === 'EADDRNOTAVAIL') return `Cannot listen on ${address}: this machine has no such address`;
  return `Cannot listen on ${address}: ${error.message}`;
}

/** The last answers on a connection. */
interface Exchange {
  readonly latest: http.ServerResponse;
  readonly before: http.ServerResponse | undefined;
  /** What came behind is no HTTP. */
  isBroken?: boolean;
}

/** What is no HTTP gets an answer too, after those to the requests before it, and the connection is closed. */
function refuseBroken(error: NodeJS.ErrnoException, socket: Duplex, exchange: Exchange | undefined): void {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy();
    return;
  }
  if (exchange?.isBroken) return;
  if (exchange) exchange.isBroken = true;
  const whole = exchange?.latest.req.complete ? exchange.latest : exchange?.before;
  if (!whole || whole.writableFinished || whole.destroyed) answerBroken(error, socket, exchange?.latest);
  // That answer may have been the connection's last one.
  else whole.once('close', () => socket.writable && answerBroken(error, socket, exchange?.latest));
}

/** @param latest where it is the rest of a request that is being answered, that answer is the last one */
function answerBroken(
  error: NodeJS.ErrnoException,
  socket: Duplex,
  latest: http.ServerResponse | undefined,
): void {
  if (latest && isLast(latest)) {
    socket.once('finish', () => socket.destroy());
    socket.end();
    return;
  }
  const problem = brokenHttp(error, MAX_HEADER_BYTES);
  answerRaw(socket, problem, { instance: '/', requestId: randomUUID() });
}

/** Whether nothing may follow this answer: it says so, or its request broke off when it was under way. */
function isLast(answer: http.ServerResponse): boolean {
  if (!answer.headersSent) return false;
  return !answer.req.complete || !answer.shouldKeepAlive || answer.getHeader('Connection') === 'close';
}
