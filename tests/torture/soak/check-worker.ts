import { parentPort } from 'node:worker_threads';
import { Reference } from './reference';
import type { FromChecks, ToChecks } from './checks';
import { StreamChecker } from './stream-checker';

/* The thread of `Checks`: it looks at what listeners heard, so that the soak's own creators never wait for it. */

const checkers = new Map<string, StreamChecker>();
const tell = (message: FromChecks): void => parentPort?.postMessage(message);

parentPort?.on('message', (message: ToChecks) => {
  const { vibeId } = message;
  let checker = checkers.get(vibeId);
  if (!checker) {
    checker = new StreamChecker(new Reference(message.seed), (event) =>
      tell({ type: 'event', vibeId, event }),
    );
    checkers.set(vibeId, checker);
  }
  if (message.type === 'heard') return checker.push(message.samples);
  checkers.delete(vibeId);
  tell({ type: 'over', vibeId, inAll: checker.finish(), cpuMs: process.cpuUsage().user / 1000 });
});
