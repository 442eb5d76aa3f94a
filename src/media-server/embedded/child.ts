import { systemClock } from '../../base/clock';
import { Channels } from './channels';
import { FaultTally } from './fault-tally';
import { HttpFace } from './http-face';
import type { FromChild, ToChild } from './messages';
import { RtmpServer } from './rtmp-server';

/**
 * The media server process. It lives and dies by its channel to the relay: everything is said there, the ports are
 * told there, and when the channel is gone the process goes too.
 */

/** Players get so long to read the end of their streams when the process is asked to close. */
const CLOSE_GRACE_MS = 500;

const clock = systemClock;
const channels = new Channels(clock, {
  published: (publish) => tell({ type: 'published', ...publish }),
  unpublished: (end) => tell({ type: 'unpublished', ...end }),
  received: (counts) => tell({ type: 'received', counts }),
  listeners: (counts) => tell({ type: 'listeners', counts }),
  cut: (cut) => tell({ type: 'cut', ...cut }),
});
const faults = new FaultTally(clock, (message, vibeId) =>
  tell({ type: 'log', level: 'warn', message, vibeId }),
);
const rtmp = new RtmpServer(channels, clock, (fault, vibeId) => faults.note(fault, vibeId));
const face = new HttpFace(channels, clock, (error) =>
  tell({
    type: 'log',
    level: 'error',
    message: error instanceof Error ? (error.stack ?? '') : String(error),
  }),
);

// Ctrl-C reaches the whole process group, and the relay may still be draining: it says when it is time.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => undefined);
process.on('disconnect', () => process.exit(0));
process.on('message', (message: ToChild) => void obey(message));

function tell(message: FromChild): void {
  if (process.connected) process.send?.(message);
}

async function obey(message: ToChild): Promise<void> {
  switch (message.type) {
    case 'listen':
      return listen(message);
    case 'announce':
      return channels.announce(message.vibeId, message.isPrivate);
    case 'admit':
      return channels.admit(message.vibeId, message.ticket);
    case 'expel':
      return channels.expel(message.vibeId, message.ticket);
    case 'retire':
      return channels.retire(message.vibeId);
    case 'expect':
      return channels.expect(message.vibeId, message.token);
    case 'ping':
      return tell({ type: 'pong' });
    case 'close':
      return close();
  }
}

async function listen(ports: Extract<ToChild, { type: 'listen' }>): Promise<void> {
  if (ports.onlyExpected) channels.refuseUnexpected();
  const opened =
    (await opens('RTMP', rtmp.listen(ports.rtmpPort))) &&
    (await opens('HTTP', face.listen(ports.httpHost, ports.httpPort)));
  if (opened) tell({ type: 'listening' });
  else await close();
}

async function opens(what: 'RTMP' | 'HTTP', listening: Promise<void>): Promise<boolean> {
  try {
    await listening;
    return true;
  } catch (error) {
    const { code = '', message } = error as NodeJS.ErrnoException;
    tell({ type: 'refused', what, code, detail: message });
    return false;
  }
}

/** Ends every stream, and with the last connection the process. */
async function close(): Promise<void> {
  await rtmp.close();
  faults.close();
  channels.close();
  await face.close(CLOSE_GRACE_MS);
  if (process.connected) process.disconnect();
}
