import { StandingHeaders } from '../../src/http/standing-headers';
import { HttpHouse } from '../helpers/http-house';

let http: HttpHouse;
afterEach(() => http.close());

/** As an object, with lower-case names. */
function asObject(headers: readonly string[]): Record<string, string> {
  const pairs = headers.flatMap((name, at) => (at % 2 === 0 ? [[name.toLowerCase(), headers[at + 1]]] : []));
  return Object.fromEntries(pairs) as Record<string, string>;
}

describe('the standing headers', () => {
  it.each<['*' | string[], string | undefined]>([
    ['*', undefined],
    ['*', 'https://app.test'],
    [['https://app.test'], 'https://app.test'],
    [['https://app.test', 'https://other.test'], 'https://other.test'],
    [['https://app.test'], 'https://evil.test'],
    [['https://app.test'], undefined],
  ])('with origins %j, for a page of %s, are those of every other answer', async (corsOrigins, origin) => {
    http = await HttpHouse.open({ corsOrigins, publicUrl: 'https://relay.test' });
    const standing = asObject(new StandingHeaders(http.config).for(origin));
    const { headers } = await http.request('/health', { headers: origin ? { origin } : {} });
    const own = [
      'x-request-id',
      'cache-control',
      'content-type',
      'content-length',
      'date',
      'connection',
      'keep-alive',
    ];
    const others = Object.fromEntries(Object.entries(headers).filter(([name]) => !own.includes(name)));
    expect(standing).toEqual(others);
    expect(standing['strict-transport-security']).toBe('max-age=63072000');
  });
});
