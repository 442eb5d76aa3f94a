import { createLogger, redact } from '../../src/base/logger';

describe('redact', () => {
  it.each([
    ['rtmp://127.0.0.1/live/v?token=abc123 failed', 'rtmp://127.0.0.1/live/v?token=*** failed'],
    ['/live/v.flv?a=1&token=abc&b=2', '/live/v.flv?a=1&token=***&b=2'],
    ['ownerKey=xyz', 'ownerKey=***'],
    ['nothing to hide', 'nothing to hide'],
  ])('turns %s into %s', (text, expected) => {
    expect(redact(text)).toBe(expected);
  });
});

describe('the log', () => {
  it('has the level asked for, in both formats', () => {
    expect(createLogger({ level: 'warn', format: 'json' }).level).toBe('warn');
  });
});
