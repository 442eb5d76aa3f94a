import { OperatorError, Problem, PROBLEMS } from '../../src/base/errors';

describe('the table of problems', () => {
  it('gives each code an HTTP status, a close code that a WebSocket may carry, and a title', () => {
    for (const [code, entry] of Object.entries(PROBLEMS)) {
      expect(code).toMatch(/^[a-z]+(-[a-z]+)*$/);
      expect(entry.status).toBeGreaterThanOrEqual(400);
      expect(entry.status).toBeLessThan(600);
      expect(
        [1009, 1011, 1012, 1013].includes(entry.closeCode) || Math.floor(entry.closeCode / 100) === 44,
      ).toBe(true);
      expect(entry.title).not.toMatch(/\.$/);
    }
  });

  it.each([
    ['buffer-full', 429, 4429],
    ['superseded', 409, 4409],
    ['unsupported-format', 415, 4415],
    ['too-large', 413, 1009],
    ['torn-sample', 422, 4400],
    ['vibe-not-found', 404, 4404],
    ['idle', 408, 4408],
    ['unauthorized', 401, 4401],
    ['wrong-creator', 403, 4403],
    ['draining', 503, 1012],
  ] as const)('keeps the contract’s numbers for %s: %d and %d', (code, status, closeCode) => {
    expect(new Problem(code, 'why')).toMatchObject({ status, closeCode, code, message: 'why' });
  });

  it('says what may be tried again', () => {
    expect(new Problem('buffer-full', 'full', { bufferedMs: 5 })).toMatchObject({
      retryable: true,
      extra: { bufferedMs: 5 },
    });
    expect(new Problem('torn-sample', 'torn').retryable).toBe(false);
  });
});

describe('an operator’s error', () => {
  it('carries the exit code', () => {
    expect(new OperatorError('mend this', 78)).toMatchObject({ exitCode: 78, message: 'mend this' });
    expect(new OperatorError('mend this').exitCode).toBe(1);
  });
});
