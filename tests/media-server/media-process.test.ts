import type { FromChild } from '../../src/media-server/embedded/messages';
import { MediaProcess } from '../../src/media-server/media-process';
import { eventually } from '../helpers/eventually';
import { FakeClock } from '../helpers/fake-clock';
import { freePorts } from '../helpers/free-port';
import { httpRequest } from '../helpers/http-request';
import { MediaHouse } from '../helpers/media-house';
import { readProcess } from '../helpers/processes';
import { silentLogger } from '../helpers/silent-logger';

const compiled = MediaHouse.compile();
afterAll(() => compiled.remove());

/** One life of the real process, with the clock in the test's hand. */
class Life {
  readonly clock = new FakeClock();
  readonly messages: FromChild[] = [];
  readonly causes: string[] = [];
  readonly answersMs: number[] = [];
  readonly process: MediaProcess;
  httpPort = 0;

  constructor(childPath = compiled.file('media-server/embedded/child')) {
    this.process = new MediaProcess({
      childPath,
      clock: this.clock,
      logger: silentLogger,
      onMessage: (message) => this.messages.push(message),
      onAnswer: (tookMs) => this.answersMs.push(tookMs),
      onExit: (cause) => this.causes.push(cause),
    });
  }

  async listens(): Promise<void> {
    const [rtmpPort, httpPort] = (await freePorts(2)) as [number, number];
    this.httpPort = httpPort;
    this.process.send({ type: 'listen', rtmpPort, httpHost: '127.0.0.1', httpPort });
    await eventually('it listens', () => this.messages.some(({ type }) => type === 'listening'));
  }

  /** Stops it where it is; resolves when it stands. */
  async freeze(): Promise<void> {
    const pid = this.process.pid as number;
    process.kill(pid, 'SIGSTOP');
    await eventually('it stands still', () => readProcess(pid)?.state === 'T');
  }

  async ended(): Promise<string> {
    return eventually('its end', () => this.causes[0]);
  }
}

describe('the media server’s process', () => {
  it('closes when it is asked to, once for all who ask', async () => {
    const life = new Life();
    await life.listens();
    await Promise.all([life.process.close(), life.process.close()]);
    expect(life.causes).toEqual(['exit code 0']);
    expect(life.clock.pendingTimers).toBe(0);
  });

  it('lives on while it answers', async () => {
    const life = new Life();
    await life.listens();
    for (let second = 0; second < 12; second += 1) {
      life.clock.advance(1_000);
      // It is busy with this for longer than with its answer; and four late answers are no reason to kill it.
      await httpRequest(`http://127.0.0.1:${life.httpPort}/`);
    }
    expect(life.causes).toEqual([]);
    await life.process.close();
  });

  it('tells how long each answer took', async () => {
    const life = new Life();
    await life.listens();
    await life.freeze();
    life.clock.advance(1_000);
    life.clock.advance(1_000);
    life.clock.advance(250);
    process.kill(life.process.pid as number, 'SIGCONT');
    await eventually('both answers', () => life.answersMs.length === 2);
    expect(life.answersMs).toEqual([1_250, 250]);
    await life.process.close();
  });

  it('is killed when it leaves five pings unanswered', async () => {
    const life = new Life();
    await life.listens();
    await life.freeze();
    life.clock.advance(5_000);
    expect(readProcess(life.process.pid as number)?.state).toBe('T');
    expect(life.causes).toEqual([]);
    life.clock.advance(1_000);
    expect(await life.ended()).toBe('SIGKILL');
    expect(life.clock.pendingTimers).toBe(0);
  });

  it('is killed when it does not close within 2 s', async () => {
    const life = new Life();
    await life.listens();
    await life.freeze();
    const closing = life.process.close();
    life.clock.advance(2_000);
    await closing;
    expect(life.causes).toEqual(['SIGKILL']);
  });

  it('tells its end where there is no such program', async () => {
    const life = new Life('/nowhere/child.js');
    expect(await life.ended()).toBe('exit code 1');
    await life.process.close();
    expect(life.causes).toHaveLength(1);
  });
});
