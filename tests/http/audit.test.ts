import type { IncomingMessage } from 'node:http';
import pino from 'pino';
import { Problem } from '../../src/base/errors';
import { Audit } from '../../src/http/audit';
import { FakeClock } from '../helpers/fake-clock';

function setUp() {
  const clock = new FakeClock();
  const lines: Record<string, unknown>[] = [];
  const logger = pino({}, { write: (line) => void lines.push(JSON.parse(line) as Record<string, unknown>) });
  const networkOf = ({ headers }: IncomingMessage): string | undefined => headers['x-from'] as string;
  return { clock, lines, audit: new Audit({ logger, clock, networkOf }) };
}

const request = (url: string, from?: string): IncomingMessage =>
  ({ method: 'POST', url, headers: { 'x-from': from } }) as unknown as IncomingMessage;

describe('the audit', () => {
  it('says who was refused what, and never by which token', () => {
    const { audit, lines } = setUp();
    audit.refused(request('/stream/v/end?token=secret', '192.0.2.7'), new Problem('wrong-creator', 'x'));
    expect(lines).toMatchObject([
      { audit: 'refused', code: 'wrong-creator', method: 'POST', path: '/stream/v/end', from: '192.0.2.7' },
    ]);
    expect(JSON.stringify(lines)).not.toContain('secret');
  });

  it('leaves out what has nothing to do with who asked', () => {
    const { audit, lines } = setUp();
    for (const code of ['not-found', 'buffer-full', 'invalid-json'] as const)
      audit.refused(request('/'), new Problem(code, 'x'));
    expect(lines).toEqual([]);
  });

  it('keeps an attack to a few lines, and says how many were left out', () => {
    const { audit, clock, lines } = setUp();
    const attack = (): void => audit.refused(request('/metrics', 'a'), new Problem('invalid-token', 'x'));
    for (let times = 0; times < 1_000; times += 1) attack();
    expect(lines).toHaveLength(50);
    clock.advance(10_000);
    attack();
    expect(lines.at(-1)).toMatchObject({ untold: 950 });
    attack();
    expect(lines.at(-1)).not.toHaveProperty('untold');
  });

  it('says who started and who ended a vibe, and from where', () => {
    const { audit, lines } = setUp();
    audit.done(request('/stream/v/start'), { act: 'start', vibeId: 'v', by: 'ann' });
    expect(lines).toMatchObject([
      { audit: 'done', act: 'start', vibeId: 'v', by: 'ann', from: 'this machine' },
    ]);
  });

  it('writes forged lines as what they are: text', () => {
    const { audit, lines } = setUp();
    audit.refused(request(`/stream/${'\n{"audit":"done"}'.repeat(40)}`), new Problem('forbidden', 'x'));
    expect(lines).toHaveLength(1);
    expect(String(lines[0]?.['path']).length).toBeLessThanOrEqual(256);
  });
});
