import { eventually } from '../helpers/eventually';
import type { HookAnswer } from '../helpers/hook-server';
import { describeSrs } from '../helpers/srs';
import { SrsHouse } from '../helpers/srs-house';

/** SRS waits so long for a hook's answer; nothing sets it. */
const SRS_PATIENCE_MS = 30_000;

describeSrs('hooks of a real SRS', () => {
  let house: SrsHouse;
  beforeAll(async () => {
    house = await SrsHouse.open();
  }, 30_000);
  afterAll(async () => house?.close(), 60_000);
  afterEach(() => {
    house.hooks.answer = () => ({});
  });

  const ACCEPTED: readonly [string, HookAnswer][] = [
    ['{"code":0}', {}],
    ['{"code":0,"msg":"ok"}', { body: '{"code":0,"msg":"ok"}' }],
    ['0', { body: '0' }],
  ];
  it.each(ACCEPTED)(
    'take the answer %s as a yes',
    async (_name, answer) => {
      house.hooks.answer = () => answer;
      const name = `yes-${ACCEPTED.findIndex(([, each]) => each === answer)}`;
      await house.publish(name);
      expect(await house.isHeard(name)).toBe(true);
    },
    30_000,
  );

  const REFUSED: readonly [string, HookAnswer][] = [
    ['0 and a newline', { body: '0\n' }],
    ['code 1', { body: '{"code":1}' }],
    ['code "0", a string', { body: '{"code":"0"}' }],
    ['nothing', { body: '' }],
    ['204', { status: 204, body: '' }],
    ['403 with code 0', { status: 403 }],
    ['500 with code 0', { status: 500 }],
  ];
  it.each(REFUSED)(
    'take the answer %s as a no',
    async (_name, answer) => {
      house.hooks.answer = () => answer;
      const name = `no-${REFUSED.findIndex(([, each]) => each === answer)}`;
      const publisher = house.publisher(name);
      expect((await publisher.ended).exitCode).not.toBe(0);
      expect(house.hooks.callsOf('on_publish', name)).toHaveLength(1);
      expect((await house.srs.stream(name))?.publish.active ?? false).toBe(false);
    },
    30_000,
  );

  it('refuse a listener whose hook says no, without a status line', async () => {
    await house.onAir('private');
    house.hooks.answer = ({ action }) => (action === 'on_play' ? { body: '{"code":1}' } : {});
    await expect(house.listen('private')).rejects.toThrow(/hang up|ECONNRESET/);
  }, 30_000);

  it('hold up a listener whose hook has not been answered, and nobody else', async () => {
    await house.onAir('held');
    const before = await house.hear('held');
    let answerNow!: () => void;
    const answered = new Promise<void>((resolve) => (answerNow = resolve));
    house.hooks.answer = async ({ action }) => {
      if (action === 'on_play') await answered;
      return {};
    };
    const held = house.listen('held', 15_000);
    await eventually('SRS asks', () => house.hooks.callsOf('on_play', 'held').length === 2);
    const heard = before.frames.length;
    await before.until('sound', () => before.frames.length > heard + 47);
    answerNow();
    const listener = await held;
    await listener?.until('sound', () => listener.frames.length > 0);
    expect(listener?.frames.length).toBeGreaterThan(0);
  }, 30_000);

  it.each([0, 100])(
    'answered after %d ms let a publish through that is then heard',
    async (afterMs) => {
      house.hooks.answer = () => ({ afterMs });
      const name = `delayed-${afterMs}`;
      await house.publish(name);
      expect(await house.isHeard(name)).toBe(true);
    },
    30_000,
  );

  it('tell of the end of a publish with the id of its beginning', async () => {
    const publisher = await house.publish('paired');
    await publisher.stop('SIGKILL');
    const [end] = await eventually('the hook', () => {
      const calls = house.hooks.callsOf('on_unpublish', 'paired');
      return calls.length > 0 && calls;
    });
    expect(end?.client_id).toBe(house.hooks.callsOf('on_publish', 'paired')[0]?.client_id);
  }, 30_000);

  it(`give up after ${SRS_PATIENCE_MS / 1_000} s, which is a no`, async () => {
    house.hooks.answer = () => ({ afterMs: SRS_PATIENCE_MS + 5_000 });
    // FFmpeg would give up before SRS; so a listener asks.
    const asked = house.listen('patience', SRS_PATIENCE_MS + 4_000);
    await expect(asked).rejects.toThrow(/hang up|ECONNRESET/);
  }, 60_000);
});
