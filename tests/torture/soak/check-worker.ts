import { readlinkSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { parentPort } from 'node:worker_threads';
import { prepareReferences, Reference } from './reference';
import type { FromChecks, ToChecks } from './checks';
import { StreamChecker } from './stream-checker';

/* The thread of `Checks`: it looks at what listeners heard, so that the soak's own creators never wait for it. */

const checkers = new Map<string, StreamChecker>();
const tell = (message: FromChecks): void => parentPort?.postMessage(message);

// Checks may wait; what is checked may not. Linux takes the number of a thread for that of a process.
os.setPriority(Number(path.basename(readlinkSync('/proc/thread-self'))), os.constants.priority.PRIORITY_LOW);
prepareReferences();
tell({ type: 'ready' });

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
  tell({ type: 'over', vibeId, inAll: checker.finish() });
});
