import { onInterrupt, untilAborted } from '../../src/cli/interrupt';

describe('Ctrl-C', () => {
  it('aborts, and counts once though it arrives twice', () => {
    const { signal, release } = onInterrupt();
    process.emit('SIGINT');
    process.emit('SIGINT');
    expect(signal.aborted).toBe(true);
    release();
    expect(process.listenerCount('SIGINT')).toBe(0);
    expect(process.listenerCount('SIGTERM')).toBe(0);
  });

  it('ends the process at once the second time', () => {
    const exit = jest.spyOn(process, 'exit').mockImplementation((() => undefined) as () => never);
    const now = jest.spyOn(Date, 'now').mockReturnValue(1_000);
    const { release } = onInterrupt();
    try {
      process.emit('SIGINT');
      now.mockReturnValue(1_400);
      process.emit('SIGTERM');
      expect(exit).toHaveBeenCalledWith(130);
    } finally {
      release();
      now.mockRestore();
      exit.mockRestore();
    }
  });
});

describe('waiting until an abort', () => {
  it('gives what the promise gives, and fails as it fails', async () => {
    const { signal } = new AbortController();
    await expect(untilAborted(Promise.resolve(7), signal)).resolves.toBe(7);
    await expect(untilAborted(Promise.reject(new Error('no')), signal)).rejects.toThrow('no');
  });

  it('waits no longer than that', async () => {
    const controller = new AbortController();
    const waiting = untilAborted(new Promise(() => undefined), controller.signal);
    controller.abort();
    await expect(waiting).resolves.toBeUndefined();
    await expect(untilAborted(new Promise(() => undefined), controller.signal)).resolves.toBeUndefined();
  });
});
