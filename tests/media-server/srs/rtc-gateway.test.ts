import { DEFAULT_FORMAT } from '../../../src/audio/pcm';
import { Metrics } from '../../../src/base/metrics';
import { type HookAction, parseHook, type Verdict } from '../../../src/media-server/srs/hook';
import { silentOpus } from '../../../src/media-server/srs/opus';
import { RtcGateway, type RtcSession } from '../../../src/media-server/srs/rtc-gateway';
import { eventually } from '../../helpers/eventually';
import { FakeClock } from '../../helpers/fake-clock';
import { FakeSrsRtc, type RtcBehaviour, type SeenRequest } from '../../helpers/fake-srs-rtc';
import { ffmpegTools } from '../../helpers/ffmpeg-tools';
import { rtp } from '../../helpers/rtp';
import { sdp } from '../../helpers/sdp';
import { silentLogger } from '../../helpers/silent-logger';

const [SILENT_20_MS] = silentOpus(960) as [Buffer];
const SOON = { withinMs: 30_000 };

let srs: FakeSrsRtc;
let clock: FakeClock;
let metrics: Metrics;
let gateway: RtcGateway;
let verdicts: Record<string, Verdict>;
let listenersOf: number[];
let kicked: string[];
let clients: { id: string; url: string; publishing: boolean }[] | Error;

function open(program?: string): void {
  gateway = new RtcGateway({
    apiUrl: srs.url,
    api: {
      streams: async () => {
        const urls = clients instanceof Error ? [] : clients.map(({ url }) => url);
        const entry = { publishing: true, publisherId: '', hasAudio: true, clients: 1 };
        return { service: 's', pid: '1', streams: urls.map((url) => ({ ...entry, url })) };
      },
      clients: async () => {
        if (clients instanceof Error) throw clients;
        return clients;
      },
      kick: async (clientId) => {
        kicked.push(clientId);
        return true;
      },
      close: () => undefined,
    },
    rtmpUrl: 'rtmp://127.0.0.1:1935/live',
    rtcPort: srs.rtcPort,
    holdSeconds: 30,
    tools: ffmpegTools(program),
    ownPlayerQuery: 'relay=own',
    onListeners: (vibeId) => listenersOf.push(gateway.listenersOf(vibeId)),
    ...{ clock, metrics, logger: silentLogger },
  });
}

/** Calls a hook of SRS, as SRS does. */
function hook(
  action: HookAction,
  vhost: string,
  stream: string,
  token: string,
  clientId = 'client',
): Verdict {
  const hooks = vhost === 'whip' ? gateway.whipHooks : gateway.whepHooks;
  const param = `?vhost=${vhost}&token=${token}`;
  const body = { vhost, app: 'live', stream, param, client_id: clientId };
  return hooks.decide(parseHook(action, body)) as Verdict;
}

/** SRS asks its hooks before it answers an offer; who is refused is hung up on. */
function askHooks({ path, query, body }: SeenRequest): boolean {
  const isPlain = path === '/rtc/v1/play/';
  const url = isPlain ? new URL((JSON.parse(body) as { streamurl: string }).streamurl) : undefined;
  const said = url?.searchParams ?? query;
  const stream = url?.pathname.split('/').at(-1) ?? query.get('stream') ?? '';
  const action = path === '/rtc/v1/whip/' ? 'on_publish' : 'on_play';
  const verdict = hook(
    action,
    said.get('vhost') ?? '',
    stream,
    said.get('token') ?? '',
    `client-of-${stream}`,
  );
  verdicts[`${action} ${said.get('vhost')}`] = verdict;
  return verdict.allowed;
}

beforeEach(async () => {
  srs = await FakeSrsRtc.open();
  srs.onOffer = askHooks;
  clock = new FakeClock();
  metrics = new Metrics();
  verdicts = {};
  listenersOf = [];
  clients = [];
  kicked = [];
});
afterEach(async () => {
  const closed = gateway.close();
  await eventually('all is closed', async () => {
    clock.advance(100);
    return Promise.race([
      closed.then(() => true),
      new Promise<boolean>((resolve) => setImmediate(() => resolve(false))),
    ]);
  });
  await srs.close();
  expect(clock.pendingTimers).toBe(0);
});

describe('a browser that publishes', () => {
  let pcm: number;
  let ended: string[];
  let session: RtcSession;

  beforeEach(() => {
    open();
    pcm = 0;
    ended = [];
  });

  async function publish(): Promise<void> {
    session = await gateway.publish(
      { vibeId: 'v', offer: sdp(), format: DEFAULT_FORMAT },
      { audio: (bytes) => (pcm += bytes.length), ended: (cause) => ended.push(cause) },
    );
  }

  const stream = (): string => srs.requests[0]?.query.get('stream') ?? '';
  const deletes = (): number => srs.requests.filter(({ method }) => method === 'DELETE').length;

  async function flow(): Promise<void> {
    await eventually('it is fetched', () => srs.peers.length > 0, SOON);
    for (let sequence = 1; sequence <= 5; sequence += 1)
      srs.send(rtp({ sequence, timestamp: sequence * 960, payload: SILENT_20_MS }));
    await eventually('it is heard', () => pcm === 5 * 3_840, SOON);
  }

  it('is answered in stereo, at a bit rate for music, and becomes PCM', async () => {
    await publish();
    expect(session.answer).toContain('stereo=1;maxaveragebitrate=192000');
    expect(stream()).toMatch(/^v-[0-9a-f]{12}$/);
    await flow();
    expect(verdicts).toEqual({ 'on_publish whip': { allowed: true }, 'on_play whip': { allowed: true } });
    expect(ended).toEqual([]);
  });

  it('whose packets get lost is heard for as long all the same', async () => {
    await publish();
    await flow();
    // 6 never comes; the others make the wait for it long enough.
    for (let sequence = 7; sequence <= 20; sequence += 1) {
      srs.send(rtp({ sequence, timestamp: sequence * 960, payload: SILENT_20_MS }));
      clock.advance(20);
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    clock.advance(200);
    srs.send(rtp({ sequence: 21, timestamp: 21 * 960, payload: SILENT_20_MS }));
    await eventually('21 packets are heard', () => pcm === 21 * 3_840, SOON);
    expect((await metrics.whipPacketsLost.get()).values[0]?.value).toBe(1);
  });

  it('ends once, here and in SRS, when it hangs up', async () => {
    await publish();
    session.end('hung-up');
    session.end('again');
    await eventually('SRS is told', () => deletes() === 1);
    expect(ended).toEqual(['hung-up']);
  });

  it('ends when SRS says that it is gone', async () => {
    await publish();
    await flow();
    expect(hook('on_unpublish', 'whip', stream(), '')).toEqual({ allowed: true });
    expect(ended).toEqual(['gone']);
  });

  it('ends when it never connects, after 15 s', async () => {
    await publish();
    clock.advance(14_000);
    expect(ended).toEqual([]);
    clock.advance(2_000);
    expect(ended).toEqual(['never-connected']);
  });

  it('ends when nothing comes for HOLD_SECONDS', async () => {
    await publish();
    await flow();
    clock.advance(29_000);
    expect(ended).toEqual([]);
    clock.advance(2_000);
    expect(ended).toEqual(['idle']);
  });

  it('is refused with what is no offer, and SRS is not asked', async () => {
    const events = { audio: () => undefined, ended: () => undefined };
    for (const [offer, code] of [
      ['nothing', 'invalid-sdp'],
      [sdp({ direction: 'recvonly' }), 'unusable-offer'],
    ] as const)
      await expect(
        gateway.publish({ vibeId: 'v', offer, format: DEFAULT_FORMAT }, events),
      ).rejects.toMatchObject({ code });
    expect(srs.requests).toEqual([]);
  });

  it.each<[RtcBehaviour, string]>([
    ['hangs-up', 'media-server-refused'],
    ['is-busy', 'media-server-busy'],
    ['answers-nonsense', 'media-server-refused'],
  ])('where SRS %s: %s, and its ticket is good no more', async (behaviour, code) => {
    srs.behaviour = behaviour;
    srs.onOffer = () => true;
    await expect(publish()).rejects.toMatchObject({ code });
    const token = srs.requests[0]?.query.get('token') ?? '';
    expect(hook('on_publish', 'whip', stream(), token)).toMatchObject({ allowed: false });
    expect(ended).toEqual([]);
  });

  it('ends with the gateway, which takes nobody any more', async () => {
    await publish();
    void gateway.close();
    expect(ended).toEqual(['closing']);
    await expect(publish()).rejects.toMatchObject({ code: 'draining' });
  });
});

describe('browsers that listen', () => {
  let ended: string[];

  beforeEach(() => {
    open('waits');
    ended = [];
  });

  const play = (name = 'one'): Promise<RtcSession> =>
    gateway.play({ vibeId: 'v', offer: sdp({ direction: 'recvonly' }) }, (cause) =>
      ended.push(`${name}: ${cause}`),
    );
  const streamOf = (at: number): string => srs.requests[at]?.query.get('stream') ?? '';
  const feeders = async (): Promise<number> => {
    await metrics.registry.metrics();
    return (await metrics.whepFeeders.get()).values[0]?.value ?? 0;
  };

  it('are answered in stereo, share one feeder, and are counted', async () => {
    const session = await play();
    await play();
    expect(session.answer).toContain('stereo=1;sprop-stereo=1');
    expect(streamOf(0)).toMatch(/^v-[0-9a-f]{12}$/);
    expect(streamOf(1)).toBe(streamOf(0));
    expect(listenersOf).toEqual([1, 2]);
    expect(await feeders()).toBe(1);
    expect(gateway.listenersOf('other')).toBe(0);
  });

  it('end when they hang up, or SRS says that they are gone; then the feeder lingers, and ends', async () => {
    const session = await play('one');
    await play('two');
    session.end('hung-up');
    hook('on_stop', 'whep', streamOf(1), srs.requests[1]?.query.get('token') ?? '');
    expect(ended).toEqual(['one: hung-up', 'two: gone']);
    expect(gateway.listenersOf('v')).toBe(0);
    clock.advance(7_000);
    expect(await feeders()).toBe(1);
    clock.advance(2_000);
    expect(await feeders()).toBe(0);
  });

  it('who come back while the feeder lingers find it there', async () => {
    (await play()).end('hung-up');
    clock.advance(7_000);
    await play();
    clock.advance(60_000);
    expect(await feeders()).toBe(1);
    expect(streamOf(1)).toBe(streamOf(0));
  });

  it('of whom SRS knows no more are gone, though no hook said so', async () => {
    await play();
    clients = [{ id: `client-of-${streamOf(0)}`, url: '', publishing: false }];
    await clock.advanceAsync(40_000, 5_000);
    expect(ended).toEqual([]);
    clients = new Error('no answer');
    await clock.advanceAsync(40_000, 5_000);
    expect(ended).toEqual([]);
    clients = [];
    await clock.advanceAsync(20_000, 5_000);
    expect(ended).toEqual(['one: gone']);
  });

  it.each<[RtcBehaviour, string]>([
    ['hangs-up', 'media-server-refused'],
    ['answers-nonsense', 'media-server-refused'],
  ])('where SRS %s: %s, nobody is counted, and the feeder ends', async (behaviour, code) => {
    srs.behaviour = behaviour;
    await expect(play()).rejects.toMatchObject({ code });
    expect(gateway.listenersOf('v')).toBe(0);
    clock.advance(10_000);
    expect(await feeders()).toBe(0);
  });

  it('only come by way of the relay, and so does the feeder', () => {
    expect(hook('on_play', 'whep', 'v-1', 'guessed')).toMatchObject({ allowed: false });
    expect(hook('on_publish', 'whep', 'v-1', 'guessed')).toMatchObject({ allowed: false });
  });

  it('end with the gateway', async () => {
    await play();
    void gateway.close();
    expect(ended).toEqual(['one: closing']);
    await expect(play()).rejects.toMatchObject({ code: 'draining' });
  });
});

describe('what an earlier relay left in SRS', () => {
  const left = [
    { id: 'a-browser-that-sends', url: 'whip/live/v-0123456789ab', publishing: true },
    { id: 'a-browser-that-listens', url: 'whep/live/v-0123456789ab', publishing: false },
    { id: 'a-listener', url: '/live/v', publishing: false },
    { id: 'of-somebody-else', url: 'other/live/v', publishing: true },
  ];

  it('is cut off at once, so that it comes again', async () => {
    clients = left;
    open();
    await eventually('both are cut off', () => kicked.length === 2);
    expect(kicked).toEqual(['a-browser-that-sends', 'a-browser-that-listens']);
  });

  it('is told from what is here', async () => {
    open('waits');
    const session = await gateway.play(
      { vibeId: 'v', offer: sdp({ direction: 'recvonly' }) },
      () => undefined,
    );
    const stream = srs.requests[0]?.query.get('stream') ?? '';
    clients = [{ id: `client-of-${stream}`, url: `whep/live/${stream}`, publishing: false }];
    await clock.advanceAsync(30_000, 5_000);
    expect(kicked).toEqual([]);
    session.end('hung-up');
  });
});
