import pino from 'pino';
import { Metrics } from '../../../src/base/metrics';
import { ALLOWED, type Hook, refused, type Verdict } from '../../../src/media-server/srs/hook';
import { HookDesk } from '../../../src/media-server/srs/hook-desk';
import { idleHooks } from '../../../src/media-server/srs/idle-hooks';

function setUp() {
  const lines: string[] = [];
  const logger = pino({ level: 'info' }, { write: (line: string) => void lines.push(line) });
  return { desk: new HookDesk({ logger, metrics: new Metrics() }), lines };
}

const PUBLISH = {
  client_id: 'c1',
  vhost: '__defaultVhost__',
  app: 'live',
  stream: 'song',
  param: '?token=hush',
};

describe('the hook desk', () => {
  it('asks who serves the vhost', () => {
    const { desk } = setUp();
    desk.serve('__defaultVhost__', { decide: () => refused('closed today') });
    desk.serve('whip', { decide: () => ALLOWED });
    expect(desk.answer('on_publish', PUBLISH)).toEqual({ code: 1 });
    expect(desk.answer('on_publish', { ...PUBLISH, vhost: 'whip' })).toEqual({ code: 0 });
  });

  it('takes no vhost for the default one', () => {
    const { desk } = setUp();
    desk.serve('__defaultVhost__', { decide: () => ALLOWED });
    expect(desk.answer('on_connect', { app: 'live' })).toEqual({ code: 0 });
  });

  it.each(['on_connect', 'on_publish', 'on_play'])('refuses %s where nobody serves the vhost', (action) => {
    const { desk } = setUp();
    expect(desk.answer(action, { ...PUBLISH, vhost: 'elsewhere' })).toEqual({ code: 1 });
  });

  it.each(['on_close', 'on_unpublish', 'on_stop'])('never refuses %s: it has happened', (action) => {
    const { desk } = setUp();
    desk.serve('__defaultVhost__', { decide: () => refused('never heard of it') });
    expect(desk.answer(action, PUBLISH)).toEqual({ code: 0 });
  });

  it('logs a refusal once, with its reason and without the token', () => {
    const { desk, lines } = setUp();
    desk.serve('__defaultVhost__', { decide: () => refused('wrong token') });
    void desk.answer('on_publish', PUBLISH);
    expect(lines).toHaveLength(1);
    expect(JSON.parse(lines[0] as string)).toMatchObject({
      action: 'on_publish',
      clientId: 'c1',
      stream: 'song',
      reason: 'wrong token',
    });
    expect(lines[0]).not.toContain('hush');
  });

  it('keeps a player waiting where it is not known yet', async () => {
    const { desk, lines } = setUp();
    let decide!: (verdict: Verdict) => void;
    desk.serve('__defaultVhost__', { decide: () => new Promise((resolve) => (decide = resolve)) });
    const answers = [desk.answer('on_play', PUBLISH)];
    decide(ALLOWED);
    answers.push(desk.answer('on_play', PUBLISH));
    decide(refused('it never came'));
    expect(await Promise.all(answers.map(async (answer) => answer))).toEqual([{ code: 0 }, { code: 1 }]);
    expect(lines).toEqual([]);
  });

  it('tells watchers of every hook first', () => {
    const { desk } = setUp();
    const order: string[] = [];
    desk.watch(({ serviceId }: Hook) => order.push(`watched ${serviceId}`));
    desk.serve('__defaultVhost__', { decide: ({ action }) => (order.push(action), ALLOWED) });
    void desk.answer('on_play', { ...PUBLISH, service_id: 's1' });
    expect(order).toEqual(['watched s1', 'on_play']);
  });

  it('knows SRS’s hooks and no others', () => {
    expect(() => setUp().desk.answer('on_dvr', {})).toThrow('on_dvr: is no hook');
  });

  it('keeps publishers away from an SRS that the relay does not use', () => {
    const { desk } = setUp();
    desk.serve('__defaultVhost__', idleHooks);
    const answers = ['on_connect', 'on_publish', 'on_play', 'on_unpublish'].map((action) =>
      desk.answer(action, PUBLISH),
    );
    expect(answers).toEqual([0, 1, 0, 0].map((code) => ({ code })));
  });
});
