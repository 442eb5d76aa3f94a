import { LogReader } from '../../../src/media-server/srs-supervisor/log-line';

const SECRET = 'a-secret-of-the-hooks';
const line = (level: string, text: string): string =>
  `[2026-11-21 15:31:06.629][${level}][22107][85639433][22] ${text}`;

describe('a line of SRS’s log', () => {
  const read = (raw: string): ReturnType<LogReader['read']> => new LogReader([SECRET]).read(raw);

  it.each([
    ['ERROR', 'error'],
    ['error', 'error'],
    ['WARN', 'warn'],
    ['warn', 'warn'],
    ['INFO', 'debug'],
    ['trace', 'debug'],
  ])('of level %s becomes one of level %s', (theirs, ours) => {
    expect(read(line(theirs, 'disk is slow'))).toEqual({ level: ours, text: 'disk is slow' });
  });

  it('is read without its colours, and where it has no error number', () => {
    expect(read(`\u001b[33m${line('WARN', 'disk is slow')}\u001b[0m`)?.text).toBe('disk is slow');
    expect(read('\u001b[0m\u001b[31m[2026-11-21 15:31:06.629][ERROR][22107][x7] bad')).toEqual({
      level: 'error',
      text: 'bad',
    });
  });

  it.each([
    'stats network use index=0, ip=192.0.2.2, ifname=eth0',
    'stats disk not configed, disk iops disabled.',
    'SRS/7.0.18 is not stable',
    'client disconnect peer. ret=1007',
    'http miss file=/data/srs/hls/favicon.ico, pattern=/, upath=/favicon.ico',
    'main cycle terminated, system quit normally.',
  ])('that nobody needs is for debugging: %s', (text) => {
    expect(read(line('WARN', text))).toEqual({ level: 'debug', text });
  });

  it('has the level of the line that it goes on from', () => {
    const reader = new LogReader([]);
    reader.read(line('ERROR', 'serve error code=1028(StreamBusy) : service cycle'));
    expect(reader.read('thread [22107][85639433]: do_cycle() [src/app/x.cpp:263][errno=11]')).toEqual({
      level: 'error',
      text: 'thread [22107][85639433]: do_cycle() [src/app/x.cpp:263][errno=11]',
    });
    reader.read(line('WARN', 'client disconnect peer. ret=1007'));
    expect(reader.read('something else')?.level).toBe('debug');
  });

  it('that is empty says nothing', () => {
    expect(read('')).toBeUndefined();
    expect(read('\u001b[0m')).toBeUndefined();
  });

  it.each([
    `http: on_publish failed, url=http://127.0.0.1:3001/hooks/${SECRET}/on_publish, code=403`,
    'publish rtmp://127.0.0.1:1935/live/hello?token=life-4711&a=b',
    '{"action":"on_publish","param":"?token=life-4711","tcUrl":"rtmp://127.0.0.1/live?secret=life-4711"}',
    'Location: /rtc/v1/whip/?action=delete&token=life-4711&session=x',
  ])('keeps no secret: %s', (text) => {
    const shown = read(line('ERROR', text))?.text ?? '';
    expect(shown).not.toContain(SECRET);
    expect(shown).not.toContain('life-4711');
    expect(shown).toContain('***');
  });

  it('is cut where it is very long, and holds no control characters', () => {
    expect(read(line('WARN', 'x'.repeat(5_000)))?.text).toHaveLength(1_001);
    expect(read(line('WARN', 'a\u0007b\u0000c'))?.text).toBe('a b c');
  });
});
