import { performance } from 'node:perf_hooks';
import { delay, eventually } from '../helpers/eventually';
import { HeldPublish } from '../helpers/held-publish';
import { quantile } from '../helpers/quantile';
import { describeSrs } from '../helpers/srs';
import { SrsHouse } from '../helpers/srs-house';
import { srsTraits } from '../helpers/srs-traits';

const TIMES = 50;
const LISTENERS = 5;
/** What SRS 6 and 7 take to send a stream's listeners away, by their own wait of 100 ms, and room. */
const TEAR_DOWN_MS = 250;

describeSrs('publishing a name again on a real SRS', () => {
  let house: SrsHouse;
  beforeEach(async () => {
    house = await SrsHouse.open();
  }, 30_000);
  afterEach(async () => house?.close(), 60_000);

  it('works at once where nobody listened', async () => {
    expect(await publishAfterKill('unheard', 0, 0)).toBe('accepted');
  }, 30_000);

  it('while listeners of the publish before are sent away: as its line does', async () => {
    expect(await publishAfterKill('heard', 1, 0)).toBe(srsTraits().publishAtTearDown);
  }, 30_000);

  it(`works ${TEAR_DOWN_MS} ms after the kill, with as many listeners`, async () => {
    expect(await publishAfterKill('waited', 20, TEAR_DOWN_MS)).toBe('accepted');
  }, 30_000);

  it(`works ${TIMES} times in a row with ${LISTENERS} listeners, where that wait is kept`, async () => {
    const silentMs: number[] = [];
    const lost: number[] = [];
    let publisher = await house.publish('often');
    for (let round = 0; round < TIMES; round += 1) {
      const listeners = await Promise.all(Array.from({ length: LISTENERS }, () => house.listen('often')));
      const first = listeners[0];
      if (!first) {
        lost.push(round);
      } else {
        await first.until('sound', () => first.frames.length > 2);
        if (round > 0) silentMs.push((first.frames[0]?.atMs ?? NaN) - killedMs);
      }
      killedMs = performance.now();
      await publisher.stop('SIGKILL');
      for (const listener of listeners) if (listener) expect(await listener.end()).toBe('cut');
      await delay(TEAR_DOWN_MS);
      publisher = await house.publish('often');
    }
    console.info(
      `sound at a new listener after the kill: median ${quantile(silentMs, 0.5).toFixed(0)} ms, ` +
        `worst ${Math.max(...silentMs).toFixed(0)} ms; ${lost.length} of ${TIMES} publishes were never heard`,
    );
    expect({ busy: house.srs.errors(1028), disposing: house.srs.errors(1098) }).toEqual({
      busy: 0,
      disposing: 0,
    });
    expect(lost.length).toBeLessThan(TIMES / 10);
  }, 180_000);

  it('works after SRS was killed and started again', async () => {
    await house.publish('survivor');
    const publisher = house.publisher('other');
    await house.srs.kill();
    expect((await publisher.ended).exitCode).not.toBe(0);
    await house.srs.run();
    await house.publish('survivor');
    expect(await house.isHeard('survivor')).toBe(true);
  }, 30_000);

  let killedMs = 0;

  /** Kills a publisher, and has another one's publish command reach SRS `afterMs` later. */
  async function publishAfterKill(
    name: string,
    listeners: number,
    afterMs: number,
  ): Promise<'accepted' | 'refused' | 'lost'> {
    const first = listeners > 0 ? await house.onAir(name) : await house.publish(name);
    await Promise.all(Array.from({ length: listeners }, () => house.hear(name)));
    const door = await HeldPublish.before(house.srs.ports.rtmp);
    try {
      const second = house.publisher(name, door.port);
      await door.arrived;
      await first.stop('SIGKILL');
      await eventually('SRS says so', () => house.hooks.callsOf('on_unpublish', name).length === 1);
      await delay(afterMs);
      door.letIn();
      if (await isLetIn(second.ended)) return 'accepted';
      // A second and more later nothing is left of the first one; what is busy now stays busy.
      await delay(1_500);
      return (await isLetIn(house.publisher(name).ended)) ? 'refused' : 'lost';
    } finally {
      await door.close();
    }
  }

  async function isLetIn(ended: Promise<unknown>): Promise<boolean> {
    return Promise.race([ended.then(() => false), delay(1_500).then(() => true)]);
  }
});
