import { exitReason, type ProcessEnd } from '../../src/encoder/exit';

const PLAIN: ProcessEnd = {
  exitCode: null,
  signal: null,
  asked: 'nothing',
  forced: false,
  spawnFailed: false,
  leashed: false,
};

describe('the reason of an exit', () => {
  it.each<[string, Partial<ProcessEnd>]>([
    ['ended', { asked: 'end', exitCode: 0 }],
    ['ended', { asked: 'end', exitCode: 0, forced: true }],
    ['cut-short', { asked: 'end', exitCode: 255, forced: true }],
    ['cut-short', { asked: 'end', signal: 'SIGKILL', forced: true }],
    ['output-failed', { asked: 'end', exitCode: 1 }],
    ['killed', { asked: 'end', signal: 'SIGKILL' }],
    ['stopped', { asked: 'close', exitCode: 255, forced: true }],
    ['stopped', { asked: 'close', signal: 'SIGKILL', forced: true }],
    ['stopped', { asked: 'close', exitCode: 0 }],
    ['stalled', { asked: 'stalled', signal: 'SIGKILL' }],
    ['killed', { signal: 'SIGKILL' }],
    ['killed', { signal: 'SIGTERM' }],
    ['killed', { exitCode: 255 }],
    ['crashed', { signal: 'SIGSEGV' }],
    ['crashed', { signal: 'SIGABRT' }],
    ['output-failed', { exitCode: 1 }],
    ['output-failed', { exitCode: 127 }],
    ['quit', { exitCode: 0 }],
    ['spawn-failed', { spawnFailed: true }],
    ['spawn-failed', { spawnFailed: true, asked: 'close' }],
    ['spawn-failed', { leashed: true, exitCode: 127 }],
    ['spawn-failed', { leashed: true, exitCode: 126 }],
  ])('is %s for %j', (reason, end) => {
    expect(exitReason({ ...PLAIN, ...end })).toBe(reason);
  });
});
