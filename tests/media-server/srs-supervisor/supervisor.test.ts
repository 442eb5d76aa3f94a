import { once } from 'node:events';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import pino from 'pino';
import { BinaryDriver } from '../../../src/media-server/srs-supervisor/binary-driver';
import { DockerDriver } from '../../../src/media-server/srs-supervisor/docker-driver';
import type { SrsDriver } from '../../../src/media-server/srs-supervisor/driver';
import { portFault, portsOf } from '../../../src/media-server/srs-supervisor/preflight';
import { environmentFrom } from '../../../src/media-server/srs-supervisor/programs';
import { SrsSupervisor } from '../../../src/media-server/srs-supervisor/supervisor';
import { eventually } from '../../helpers/eventually';
import { FakeClock } from '../../helpers/fake-clock';
import { FakePrograms, type FakeSrsBehaviour } from '../../helpers/fake-srs';
import { freePorts } from '../../helpers/free-port';
import { isAlive, type ProcessEntry, readProcess } from '../../helpers/processes';
import { HANGS_AFTER_MS } from '../../helpers/patience';

const SECRET = 'a-secret-of-the-hooks';
const environment = environmentFrom(process.env);

type Line = Readonly<Record<string, unknown>> & { readonly level: string; readonly msg: string };

type Four = readonly [number, number, number, number];

/** A supervisor with a fake SRS, real ports, and the clock in the test's hand. */
class House {
  readonly programs = new FakePrograms();
  readonly clock = new FakeClock();
  readonly lines: Line[] = [];
  readonly ups: number[] = [];
  readonly downs: string[] = [];
  readonly supervisor: SrsSupervisor;
  readonly directory = path.join(this.programs.directory, 'data', 'srs');
  readonly #ports: Four;

  private constructor(behaviour: FakeSrsBehaviour, kind: SrsDriver['kind'], ports: readonly number[]) {
    this.#ports = ports as unknown as Four;
    const [rtmpPort, httpPort, apiPort, rtcPort] = this.#ports;
    const binary = this.programs.srs(behaviour);
    const { directory } = this;
    const driver: SrsDriver =
      kind === 'binary'
        ? new BinaryDriver({ binary, environment, leash: [] })
        : new DockerDriver({
            ...{ image: 'image:1', directory, apiPort, user: '0:0', environment },
            docker: this.programs.docker(),
          });
    this.supervisor = new SrsSupervisor({
      driver,
      conf: {
        ...{ rtmpPort, httpPort, apiPort, rtcPort, rtcCandidate: '127.0.0.1', directory },
        hooksUrl: `http://127.0.0.1:1/hooks/${SECRET}`,
      },
      hookSecret: SECRET,
      clock: this.clock,
      logger: pino(
        { level: 'debug', formatters: { level: (level) => ({ level }) } },
        { write: (line) => this.lines.push(JSON.parse(line) as Line) },
      ),
      random: () => 1,
    });
    this.supervisor.on('up', ({ pid }) => this.ups.push(pid));
    this.supervisor.on('down', ({ cause }) => this.downs.push(cause));
  }

  static async create(behaviour: FakeSrsBehaviour = {}, kind: SrsDriver['kind'] = 'binary'): Promise<House> {
    return new House(behaviour, kind, await freePorts(4));
  }

  get ports() {
    const [rtmpPort, httpPort, apiPort, rtcPort] = this.#ports;
    return { rtmpPort, httpPort, apiPort, rtcPort };
  }

  /**
   * Time goes on in small steps until the condition holds: as fast as real time, so that what really happens keeps up, or
   * faster where nothing is to happen.
   */
  async until<T>(what: string, check: () => T, stepMs = 10): Promise<void> {
    await eventually(
      what,
      () => {
        this.clock.advance(stepMs);
        return check();
      },
      { withinMs: HANGS_AFTER_MS, everyMs: 10 },
    );
  }

  async start(stepMs = 10): Promise<ProcessEntry> {
    let failure: unknown;
    const started = this.supervisor.start().catch((error: unknown) => (failure = error));
    await this.until('it runs', () => this.ups.length > 0 || failure !== undefined, stepMs);
    await started;
    if (failure !== undefined) throw failure as Error;
    return readProcess(this.supervisor.pid ?? 0)!;
  }

  /** Of a start that must fail. */
  async refusal(stepMs?: number): Promise<{ exitCode: number; message: string }> {
    const error = await this.start(stepMs).catch((thrown: unknown) => thrown);
    return error as { exitCode: number; message: string };
  }

  async close(): Promise<void> {
    await this.supervisor.close();
    expect(this.clock.pendingTimers).toBe(0);
    expect(await portFault(portsOf(this.ports))).toBeUndefined();
    this.programs.remove();
  }
}

describe('the supervisor of SRS', () => {
  let house: House;
  afterEach(async () => house.close());

  it('writes the configuration for the release that it finds, starts it, and says what is wrong with that', async () => {
    house = await House.create({ version: '7.0.162' });
    await house.start();
    const conf = readFileSync(path.join(house.directory, 'srs.conf'), 'utf8');
    expect(conf).toContain('# SRS 7.0.162 ');
    expect(conf).toContain(`on_publish http://127.0.0.1:1/hooks/${SECRET}/on_publish;`);
    expect(conf).toContain(`pid ${house.directory}/srs.pid;`);
    expect(house.lines.filter(({ level }) => level === 'warn').map(({ bug }) => bug)).toEqual([
      'busy-for-ever',
      'slow-unmount',
    ]);
    expect(house.lines).toContainEqual(expect.objectContaining({ msg: 'SRS runs', release: '7.0.162' }));
  });

  it('takes what an earlier SRS left of its HLS away', async () => {
    house = await House.create();
    const stale = path.join(house.directory, 'hls', 'live', 'old.m3u8');
    mkdirSync(path.dirname(stale), { recursive: true });
    writeFileSync(stale, '');
    await house.start();
    expect(existsSync(stale)).toBe(false);
  });

  it('passes its log on without secrets', async () => {
    const prints = [`[2026-11-21 12:00:00.000][WARN][1][x][22] url=/hooks/${SECRET}/on_play?token=4711`];
    house = await House.create({ prints });
    await house.start();
    expect(house.lines).toContainEqual(
      expect.objectContaining({ level: 'warn', part: 'srs', msg: 'url=/hooks/***/on_play?token=***' }),
    );
    expect(JSON.stringify(house.lines)).not.toContain(SECRET);
  });

  it('starts it again when it was killed, and waits longer each time', async () => {
    house = await House.create();
    const waits = (): unknown[] =>
      house.lines.filter(({ waitMs }) => waitMs !== undefined).map(({ waitMs }) => waitMs);
    let entry = await house.start();
    for (const life of [2, 3]) {
      process.kill(entry.pid, 'SIGKILL');
      await house.until('it runs again', () => house.ups.length === life);
      expect(isAlive(entry)).toBe(false);
      entry = readProcess(house.supervisor.pid ?? 0)!;
    }
    expect(house.downs).toEqual(['SIGKILL', 'SIGKILL']);
    expect(new Set(house.ups).size).toBe(3);
    expect(waits()).toEqual([100, 200]);
  });

  it('kills and starts again one that hangs', async () => {
    house = await House.create();
    const entry = await house.start();
    process.kill(entry.pid, 'SIGSTOP');
    await house.until('it is killed', () => house.downs.length === 1, 100);
    expect(house.downs[0]).toMatch(/^hung: no answer within a second, 5 times$/);
    await house.until('it runs again', () => house.ups.length === 2);
    expect(isAlive(entry)).toBe(false);
  });

  it('lets no lost answer count for long', async () => {
    house = await House.create();
    const { pid } = await house.start();
    for (let pause = 0; pause < 3; pause += 1) {
      process.kill(pid, 'SIGSTOP');
      for (let step = 0; step < 25; step += 1) await house.clock.advanceAsync(100, 100);
      process.kill(pid, 'SIGCONT');
      const looksBefore = house.clock.nowMs();
      await house.until('looks are answered', () => house.clock.nowMs() - looksBefore > 1_500);
    }
    expect(house.downs).toEqual([]);
  });

  it('ends it in order, and kills it where it is deaf', async () => {
    house = await House.create({ deaf: true });
    const entry = await house.start();
    let closed = false;
    const closing = house.supervisor.close().then(() => (closed = true));
    await house.until('it is over', () => closed, 100);
    await closing;
    expect(house.downs).toEqual(['did not end']);
    expect(isAlive(entry)).toBe(false);
  });

  it('is over at once when it is closed while SRS starts', async () => {
    house = await House.create({ hangs: true });
    const started = house.supervisor.start();
    await eventually('it is there', () => house.supervisor.pid);
    await house.supervisor.close();
    await started;
    expect(house.ups).toEqual([]);
    expect(house.supervisor.pid).toBeUndefined();
  });

  it('waits for its ports where somebody took them meanwhile', async () => {
    house = await House.create();
    const { pid } = await house.start();
    const down = once(house.supervisor, 'down');
    process.kill(pid, 'SIGKILL');
    await house.until('it is gone', () => house.downs.length > 0, 1);
    await down;
    const thief = net.createServer().listen(house.ports.rtmpPort, '127.0.0.1');
    await once(thief, 'listening');
    const complains = (): boolean =>
      house.lines.some(({ cause }) => /\(RTMP_PORT\) is in use/.test(String(cause)));
    await house.until('it complains', complains);
    thief.close();
    await house.until('it runs again', () => house.ups.length === 2, 100);
  });

  describe('refuses in one line', () => {
    it.each([
      [{ saysVersion: 'Usage: srs' }, /is not SRS, the media server/],
      [{ version: '4.0.271' }, /^SRS 4\.0\.271 is too old: 5 or newer is needed\.$/],
      [{ refuses: 'illegal directive x' }, /^SRS 7\.0\.18 refuses its configuration: illegal directive x$/],
      [{ dies: 'no memory' }, /^SRS does not start: exit code 1, after: no memory$/],
      [
        { hangs: true },
        /^SRS does not start: no answer within 10 s of its start: no answer within a second$/,
      ],
      [{ shownPid: 1 }, /^SRS does not start: no answer within 10 s of its start: another SRS answers$/],
    ] as [FakeSrsBehaviour, RegExp][])('an SRS that is like %j', async (behaviour, line) => {
      house = await House.create(behaviour);
      // The last two are not quick by nature.
      const { exitCode, message } = await house.refusal(behaviour.hangs ? 100 : behaviour.shownPid ? 40 : 10);
      expect(message).toMatch(line);
      expect(exitCode).toBe(69);
      expect(house.supervisor.pid).toBeUndefined();
    });

    it('a port that is taken', async () => {
      house = await House.create();
      const holder = net.createServer().listen(house.ports.httpPort, '127.0.0.1');
      await once(holder, 'listening');
      const { exitCode, message } = await house.refusal();
      holder.close();
      await once(holder, 'close');
      expect(message).toMatch(/^Port \d+ \(MEDIA_HTTP_PORT\) is in use/);
      expect(exitCode).toBe(69);
    });

    it('a directory that cannot be made', async () => {
      house = await House.create();
      writeFileSync(path.dirname(house.directory), '');
      expect(await house.refusal()).toMatchObject({ exitCode: 73 });
      rmSync(path.dirname(house.directory));
    });
  });

  it('warns of a release that nobody looked at, and tries it', async () => {
    house = await House.create({ version: '9.0.1' });
    await house.start();
    expect(house.lines).toContainEqual(
      expect.objectContaining({
        level: 'warn',
        release: '9.0.1',
        msg: expect.stringMatching(/newer than anything/),
      }),
    );
    expect(readFileSync(path.join(house.directory, 'srs.conf'), 'utf8')).toContain('rtmp {');
  });

  describe('in a container', () => {
    it('starts it, knows it by its server id, and ends it', async () => {
      house = await House.create({ shownPid: 1 }, 'docker');
      await house.start();
      await house.supervisor.close();
      const name = `vibesflow-srs-${house.ports.apiPort}`;
      expect(
        house.programs.dockerCalls.map((call) =>
          call.filter((arg) => /^(run|rm|-[vtc]|vibesflow.*)$/.test(arg)),
        ),
      ).toEqual([
        ['run', '-v'],
        ['rm', name],
        ['run', '-t', '-c'],
        ['run', name, '-c'],
      ]);
    });

    it('takes the container away that outlived its client, and starts another', async () => {
      house = await House.create({ shownPid: 1 }, 'docker');
      await house.start();
      process.kill(house.supervisor.pid ?? 0, 'SIGKILL');
      await house.until('it runs again', () => house.ups.length === 2);
    });
  });
});
