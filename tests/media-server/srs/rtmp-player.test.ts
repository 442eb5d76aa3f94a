import { encodeAmf0 } from '../../../src/media-server/rtmp/amf0';
import { MESSAGE } from '../../../src/media-server/rtmp/chunks';
import { RtmpPlayer } from '../../../src/media-server/srs/rtmp-player';
import { FakeClock } from '../../helpers/fake-clock';
import { eventually } from '../../helpers/eventually';
import { RtmpPlayDoor } from '../../helpers/rtmp-play-door';

const AAC_FRAME = Buffer.from([0xaf, 1, 0x21, 0x10]);

describe('a player over RTMP', () => {
  let door: RtmpPlayDoor;
  let clock: FakeClock;
  let told: string[];
  let player: RtmpPlayer | undefined;

  beforeEach(async () => {
    door = new RtmpPlayDoor();
    await door.listen();
    clock = new FakeClock();
    told = [];
  });
  afterEach(async () => {
    player?.close();
    await door.close();
    expect(clock.pendingTimers).toBe(0);
  });

  function play(): RtmpPlayer {
    player = new RtmpPlayer({
      ...{ host: '127.0.0.1', port: door.port, app: 'live', stream: 'song?relay=nonce', clock },
      onPlaying: () => told.push('playing'),
      onAudio: (body) => told.push(`audio ${body.toString('hex')}`),
      onEnd: (why) => told.push(`end: ${why}`),
    });
    return player;
  }

  it('plays the stream of its name, with its query, and hears what comes', async () => {
    play();
    await eventually('it plays', () => told.includes('playing'));
    expect(door.latest?.commandsNamed('connect')[0]?.[2]).toMatchObject({
      app: 'live',
      tcUrl: `rtmp://127.0.0.1:${door.port}/live`,
    });
    expect(door.latest?.commandsNamed('play')[0]?.[3]).toBe('song?relay=nonce');
    door.latest?.send(MESSAGE.dataAmf0, encodeAmf0('onMetaData', {}));
    door.latest?.send(MESSAGE.audio, AAC_FRAME);
    await eventually('it hears', () => told.length > 1);
    expect(told).toEqual(['playing', 'audio af012110']);
  });

  it('says that it plays when SRS has let it in, not when SRS says that it begins', async () => {
    let letIn!: (may: boolean) => void;
    door.onPlay = () => new Promise((resolve) => (letIn = resolve));
    play();
    await eventually('it has asked', () => (door.latest?.commandsNamed('relayEcho').length ?? 0) > 0);
    expect(told).toEqual([]);
    letIn(true);
    await eventually('it plays', () => told.includes('playing'));
  });

  it('acknowledges each packet while it is let in: SRS would wait for TCP otherwise', async () => {
    door.onPlay = () => new Promise(() => undefined);
    play();
    await eventually('it has asked to play', () => (door.latest?.commandsNamed('play').length ?? 0) > 0);
    expect(door.latest?.acknowledgedBytes).toBeGreaterThan(2 * 1536);
  });

  it('acknowledges what it was sent as often as SRS wants, and answers its pings', async () => {
    play();
    await eventually('it plays', () => told.includes('playing'));
    const window = Buffer.alloc(4);
    window.writeUInt32BE(100_000);
    door.latest?.send(MESSAGE.windowSize, window, 0);
    for (let at = 0; at < 12; at += 1) door.latest?.send(MESSAGE.dataAmf0, Buffer.alloc(10_000, 5));
    await eventually('an acknowledgement', () => (door.latest?.acknowledgedBytes ?? 0) > 100_000);
    door.latest?.send(MESSAGE.userControl, Buffer.from([0, 6, 0, 0, 0, 9]), 0);
    await eventually('a pong', () => (door.latest?.pongs.length ?? 0) > 0);
    expect(door.latest?.pongs).toEqual([9]);
  });

  it('hears the answer to an echo after all that was sent before it', async () => {
    const playing = play();
    await eventually('it plays', () => told.includes('playing'));
    for (let frame = 0; frame < 50; frame += 1) door.latest?.send(MESSAGE.audio, AAC_FRAME);
    playing.echo(() => told.push('echo'));
    await eventually('the answer', () => told.at(-1) === 'echo');
    expect(told).toHaveLength(52);
  });

  it.each([
    ['is hung up on', () => door.latest?.end(), 'SRS ended the connection'],
    [
      'gets what is no RTMP',
      () => door.latest?.sendBytes(Buffer.alloc(64, 0xff)),
      'continues what never began',
    ],
    ['gets an error', () => door.latest?.send(MESSAGE.commandAmf0, STATUS_ERROR), 'SRS refuses: not you'],
  ])('tells once that it ended where it %s', async (_how, spoil, why) => {
    play();
    await eventually('it plays', () => told.includes('playing'));
    spoil();
    await eventually('the end', () => told.length > 1);
    player?.echo(() => told.push('echo'));
    expect(told[1]).toContain(why);
    expect(told).toHaveLength(2);
  });

  it.each([
    ['its app', 'connect', ['_error', 1, null, { description: 'no such app' }], 'no such app'],
    ['it a stream', 'createStream', ['_result', 2, null, 'none'], 'SRS made no stream'],
    ['it for no reason', 'connect', ['_error', 1, null, null], 'no reason given'],
  ])('ends where SRS refuses %s', async (_what, command, answer, why) => {
    door.says[command] = answer;
    play();
    await eventually('the end', () => told.length > 0);
    expect(told[0]).toContain(why);
  });

  it('ends where nobody listens, and where nobody answers for 5 s', async () => {
    door.hung = true;
    play();
    clock.advance(4_999);
    expect(told).toEqual([]);
    clock.advance(1);
    expect(told).toEqual(['end: SRS did not let it play in time']);
    await door.close();
    told = [];
    play();
    await eventually('the end', () => told.length > 0);
    expect(told[0]).toContain('ECONNREFUSED');
  });

  it('tells nothing once it is closed, however often that is', async () => {
    const playing = play();
    await eventually('it plays', () => told.includes('playing'));
    const left = new Promise<void>((resolve) => door.latest?.onClose(resolve));
    door.latest?.send(MESSAGE.audio, AAC_FRAME);
    playing.close();
    playing.close();
    await left;
    expect(told).toEqual(['playing']);
  });
});

const STATUS_ERROR = encodeAmf0('onStatus', 0, null, { level: 'error', description: 'not you' });
