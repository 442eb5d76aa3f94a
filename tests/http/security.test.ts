import { isOriginAllowed } from '../../src/http/security';

const publicUrl = 'https://relay.test/base';
const corsOrigins = ['https://app.test', 'http://localhost:5173'];

describe('a page that opens a WebSocket', () => {
  it.each<[string | undefined, boolean]>([
    [undefined, true],
    ['https://app.test', true],
    ['http://localhost:5173', true],
    ['https://relay.test', true],
    ['http://relay.test', false],
    ['https://app.test:444', false],
    ['https://app.test.evil.test', false],
    ['https://evil.test/https://app.test', false],
    ['null', false],
    ['', false],
  ])('from %s: %s', (origin, isAllowed) => {
    expect(isOriginAllowed(origin, { corsOrigins, publicUrl })).toBe(isAllowed);
    expect(isOriginAllowed(origin, { corsOrigins: '*', publicUrl })).toBe(true);
  });
});
