import { Daemon } from '../helpers/daemon';
import { eventually } from '../helpers/eventually';
import { type HttpAnswer, httpRequest } from '../helpers/http-request';
import { MetricsText } from '../helpers/metrics-text';
import { Nginx } from '../helpers/nginx';
import { trust } from '../helpers/web';
import { bearer, ControlVibe, PREBUFFER_MS } from './control-vibe';
import { type Answer, exchange, type Place } from './exchange';
import { check, type Expected, type Row } from './row';
import { json, post, type Step, type Until } from './wire';

/** What no door may take for an answer, on a busy machine. How long most take is judged by their median. */
const ANSWER_MS = 5_000;
const MEDIAN_MS = 100;
/** A vibe that was started and never fed is over after a minute. */
const NEVER_FED_MS = 75_000;
/** Of a vibe in the list: what changes by itself while nobody does anything. */
const RESTLESS = ['bufferedMs', 'signal', 'listeners', 'encoder', 'isStreaming'] as const;
/** What is counted, and must not have changed after a refusal. */
const COUNTS = [
  'vibesflow_vibes_started_total',
  'vibesflow_participants',
  'vibesflow_encoder_starts_total',
  'vibesflow_takeovers_total',
  'vibesflow_samples_discarded_total',
  'vibesflow_samples_lost_total',
  'vibesflow_media_server_restarts_total',
  'vibesflow_rtc_sessions',
] as const;

interface State {
  readonly vibes: unknown;
  readonly counts: Readonly<Record<string, number>>;
}

export interface DoorOptions {
  readonly env?: Readonly<Record<string, string>>;
  /** Whether nginx stands in front, and rows go through it. */
  readonly throughNginx?: boolean;
  /** Where tokens are asked for: an admin’s, for looking, and that of the control vibe’s creator. */
  readonly tokens?: { readonly admin: string; readonly creator: string };
  /** Whether the relay may have no room for what is sent: 503. */
  readonly isFull?: boolean;
  /** Whether the control vibe has an owner key. */
  readonly claimed?: boolean;
  /** Whether a real SRS is the media server. */
  readonly withSrs?: boolean;
  /** Where rows go, if not to the daemon's own port. */
  readonly place?: (daemon: Daemon) => Place;
}

/** A daemon at whose doors somebody tries everything, while a control vibe plays. */
export class DoorHouse {
  readonly daemon: Daemon;
  readonly nginx: Nginx | undefined;
  readonly #control: ControlVibe;
  readonly #place: Place;
  readonly #pid: number;
  readonly #slow = new Map<Row, Promise<Answer>>();
  readonly #answerMs: number[] = [];
  /** Failures that rows ask for, such as of what is not built in. */
  readonly #asked = new Set<string>();
  #ids = 0;
  readonly #admin: string | undefined;
  #state: State = { vibes: [], counts: {} };

  private constructor(
    parts: { daemon: Daemon; nginx: Nginx | undefined; control: ControlVibe; place: Place },
    admin: string | undefined,
  ) {
    this.daemon = parts.daemon;
    this.nginx = parts.nginx;
    this.#control = parts.control;
    this.#place = parts.place;
    this.#pid = parts.daemon.pid;
    this.#admin = admin;
  }

  static async open(options: DoorOptions = {}): Promise<DoorHouse> {
    const publicUrl: Record<string, string> = options.throughNginx ? { PUBLIC_URL: 'https://localhost' } : {};
    const env = { PREBUFFER_MS: String(PREBUFFER_MS), ...publicUrl, ...options.env };
    const daemon = await (options.withSrs ? Daemon.startWithSrs(env) : Daemon.start(env));
    let nginx: Nginx | undefined;
    try {
      nginx = options.throughNginx ? await Nginx.start(daemon) : undefined;
      if (nginx) trust(nginx.ca);
      const control = await ControlVibe.begin(daemon, {
        claimed: options.claimed,
        token: options.tokens?.creator,
      });
      const place = options.place?.(daemon) ?? placeOf(daemon, nginx);
      const house = new DoorHouse({ daemon, nginx, control, place }, options.tokens?.admin);
      house.#state = await house.#look();
      if (options.isFull) house.#asked.add('503');
      return house;
    } catch (error) {
      await nginx?.stop();
      await daemon.stop();
      throw error;
    }
  }

  /** Sends the rows that take long, all at once. `refuses` waits for each. */
  beginSlow(rows: readonly Row[]): void {
    for (const row of rows.filter(({ slow }) => slow)) {
      const answer = this.send(row.send);
      answer.catch(() => undefined);
      this.#slow.set(row, answer);
    }
  }

  /** Sends a row, and holds the answer and the state of the relay afterwards against what is expected. */
  async try(row: Row): Promise<Answer> {
    const expected = (this.nginx && row.throughNginx) || row.expect;
    const id = this.#freshId();
    const keys: string[] = [];
    for (const step of row.given ?? []) keys.push(...(await this.#give(step, id)));
    if (row.given) this.#state = await this.#look();
    try {
      const answer = await (this.#slow.get(row) ?? this.send(row.send, id));
      check(answer, expected);
      this.#asked.add(String(answer.status));
      this.#checkTime(answer, expected);
      if (!expected.changes) await this.#expectUnchanged();
      await this.#tidy(id, keys);
      return answer;
    } catch (error) {
      // Later rows are not to blame.
      await this.#tidy(id, keys);
      this.#state = await this.#look();
      throw error;
    }
  }

  send(steps: Step | readonly Step[], id = this.#freshId()): Promise<Answer> {
    return exchange(this.#place, [steps].flat<(Step | readonly Step[])[]>(), id);
  }

  /**
   * That nobody else noticed anything: the same process, no failure of its own, answers at once, and a control vibe
   * byte for byte.
   */
  async expectUnharmed(): Promise<void> {
    await Promise.allSettled(this.#slow.values());
    await this.#control.prove();
    expect([this.daemon.isRunning, this.daemon.pid]).toEqual([true, this.#pid]);
    const metrics = await this.#metrics();
    await eventually(
      'no creator is connected any more',
      async () => (await this.#metrics()).sumOrZero('vibesflow_ingest_connections') === 0,
    );
    const statuses = metrics.labels('vibesflow_http_requests_total', 'status');
    expect(statuses.filter((status) => status.startsWith('5') && !this.#asked.has(status))).toEqual([]);
    const lines = this.daemon.output.split('\n');
    expect(lines.filter((line) => /"level":"?(50|60|error|fatal)\b/.test(line))).toEqual([]);
    expect(metrics.sum('vibesflow_problems_total', { code: 'internal-error' })).toBe(0);
    const sorted = this.#answerMs.toSorted((a, b) => a - b);
    if (sorted.length > 0) expect(sorted[sorted.length >> 1]).toBeLessThan(MEDIAN_MS);
    await eventually('all encoders are gone', () => this.daemon.encoders().length === 0, {
      withinMs: NEVER_FED_MS,
    });
  }

  async close(): Promise<void> {
    trust(undefined);
    await this.nginx?.stop();
    await this.daemon.stop();
  }

  #freshId(): string {
    this.#ids += 1;
    return `fresh-${this.#ids}`;
  }

  /** @returns the owner key in the answer, if there is one */
  async #give(step: Step | Until, id: string): Promise<string[]> {
    if ('state' in step) {
      await eventually(
        `${id} is ${step.state}`,
        async () => (await this.#status(id))?.['state'] === step.state,
      );
      return [];
    }
    const { status, body } = await this.send(step, id);
    if (status < 200 || status > 299)
      throw new Error(`what is given was refused: ${status} ${body.slice(0, 300)}`);
    return /"ownerKey":"([^"]+)"/.exec(body)?.slice(1) ?? [];
  }

  #checkTime({ ms, wholeMs }: Answer, { betweenMs }: Expected): void {
    if (!betweenMs) {
      this.#answerMs.push(ms);
      expect(ms).toBeLessThan(ANSWER_MS);
      return;
    }
    expect(wholeMs).toBeGreaterThanOrEqual(betweenMs[0]);
    expect(wholeMs).toBeLessThan(betweenMs[1]);
  }

  async #look(): Promise<State> {
    const [list, metrics] = await Promise.all([this.#ask('/streams/active'), this.#metrics()]);
    const { activeStreams } = JSON.parse(list) as { activeStreams: Record<string, unknown>[] };
    const vibes = activeStreams.map((vibe) => {
      const calm = { ...vibe, state: vibe['state'] === 'ending' ? 'ending' : 'on' };
      for (const member of RESTLESS) delete (calm as Record<string, unknown>)[member];
      return calm;
    });
    return { vibes, counts: Object.fromEntries(COUNTS.map((name) => [name, countOf(metrics, name)])) };
  }

  async #metrics(): Promise<MetricsText> {
    return new MetricsText(await this.#ask('/metrics'));
  }

  async #status(id: string): Promise<Record<string, unknown> | undefined> {
    const { status, body } = await this.#answer(`/stream/${id}`);
    return status === 200 ? (JSON.parse(body.toString()) as Record<string, unknown>) : undefined;
  }

  async #ask(path: string): Promise<string> {
    const { status, body } = await this.#answer(path);
    if (status !== 200) throw new Error(`${path}: ${status} ${body.toString()}`);
    return body.toString();
  }

  #answer(path: string): Promise<HttpAnswer> {
    return httpRequest(`${this.daemon.apiUrl}${path}`, { headers: bearer(this.#admin) });
  }

  async #expectUnchanged(): Promise<void> {
    let seen: State | undefined;
    try {
      await eventually(
        'the state is as before',
        async () => {
          seen = await this.#look();
          return JSON.stringify(seen) === JSON.stringify(this.#state);
        },
        { withinMs: 5_000 },
      );
    } catch {
      expect(seen).toEqual(this.#state);
    }
  }

  /** Ends what the row started. */
  async #tidy(id: string, keys: readonly string[]): Promise<void> {
    const status = await this.#status(id);
    if (!status) return;
    if (status['state'] !== 'ended') {
      const creator = typeof status['creator'] === 'string' ? { creator: status['creator'] } : {};
      const end = post(
        '/stream/{id}/end',
        json({ drain: false, ...creator }),
        bearer(keys[0] ?? this.#admin),
      );
      await exchange(placeOf(this.daemon, undefined), [end], id);
    }
    this.#state = await eventually('the vibe is gone', async () => {
      const state = await this.#look();
      return !JSON.stringify(state.vibes).includes(`"${id}"`) && state;
    });
  }
}

function placeOf(daemon: Daemon, nginx: Nginx | undefined): Place {
  return nginx ? { port: nginx.httpsPort, ca: nginx.ca } : { port: Number(new URL(daemon.apiUrl).port) };
}

function countOf(metrics: MetricsText, name: string): number {
  return metrics.sumOrZero(name);
}
