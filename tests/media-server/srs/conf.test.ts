import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { loadConfig } from '../../../src/base/config';
import { SETTINGS } from '../../../src/base/settings';
import { MAX_CONNECTIONS, RESERVED_FILES, srsConf, srsConfOptions } from '../../../src/media-server/srs/conf';
import { DIRECTIVES, takes, versionFor } from '../../../src/media-server/srs/lines';
import { ROOT } from '../../helpers/sources';
import { readSrsConf } from '../../helpers/srs-conf-tree';

const EMPTY = path.join(os.tmpdir(), 'no-such-directory');

function conf(line: string, env: Record<string, string> = {}): string {
  return srsConf(srsConfOptions(loadConfig(env, { directory: EMPTY }), versionFor(line), './data/srs'));
}

/** The lines without comments and indents. */
function bare(text: string): string[] {
  return text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('#'));
}

describe('srs.conf', () => {
  const checkedIn = readFileSync(path.join(ROOT, 'srs.conf'), 'utf8');

  it('is what `vibesflow srs conf --for 7` prints with the default settings', () => {
    expect(checkedIn).toBe(conf('7'));
  });

  it('has the ports and hooks of the settings table', () => {
    const tree = readSrsConf(checkedIn);
    const one = (name: string): string | undefined => tree.get(name)?.[0]?.join(' ');
    expect(one('listen')).toBe(`127.0.0.1:${SETTINGS.rtmpPort.shown}`);
    expect(one('http_server.listen')).toBe(`127.0.0.1:${SETTINGS.mediaHttpPort.shown}`);
    expect(one('http_api.listen')).toBe(`127.0.0.1:${SETTINGS.mediaApiPort.shown}`);
    expect(one('rtc_server.listen')).toBe(SETTINGS.rtcPort.shown);
    expect(one('rtc_server.tcp.listen')).toBe(SETTINGS.rtcPort.shown);
    expect(one('rtc_server.candidate')).toBe(SETTINGS.rtcCandidate.shown);
    for (const vhost of ['__defaultVhost__', 'whip', 'whep']) {
      for (const hook of ['on_publish', 'on_unpublish', 'on_play', 'on_stop']) {
        expect(one(`vhost ${vhost}.http_hooks.${hook}`)).toBe(
          `http://127.0.0.1:${SETTINGS.port.shown}/hooks/${hook}`,
        );
      }
    }
  });
});

describe('the configuration for an SRS on another machine', () => {
  it('is not made up from loopback addresses: it is refused', () => {
    const env = { MEDIA_SERVER: 'srs', RTMP_URL: 'rtmp://10.0.0.5:1935/live' };
    expect(() => conf('7', env)).toThrow(/RTMP_URL names 10\.0\.0\.5/);
    for (const host of ['localhost', '127.0.0.2', '[::1]'])
      expect(conf('7', { ...env, RTMP_URL: `rtmp://${host}:1935/live` })).toBe(
        conf('7', { MEDIA_SERVER: 'srs' }),
      );
  });
});

describe.each(['5', '6', '7', '7.0.60', '7.0.162', '8.0.34'])('the configuration for SRS %s', (line) => {
  const tree = readSrsConf(conf(line));
  const one = (name: string): string | undefined => tree.get(name)?.[0]?.join(' ');

  it('has no directive that this release does not take', () => {
    const paths = [...tree.keys()].map((name) => name.replace(/^vhost \w+/, 'vhost'));
    expect(paths.filter((name) => !takes(versionFor(line), name))).toEqual([]);
  });

  it('leaves no directive of the table out that it takes', () => {
    const paths = new Set([...tree.keys()].map((name) => name.replace(/^vhost \w+/, 'vhost')));
    const taken = Object.keys(DIRECTIVES).filter((name) => takes(versionFor(line), name));
    expect(taken.filter((name) => !paths.has(name))).toEqual([]);
  });

  it('opens RTMP, HTTP and API on loopback alone', () => {
    const listeners = [...tree].filter(([name]) => /(^|\.)listen$/.test(name));
    const open = listeners
      .filter(([, [words]]) => !words?.join().startsWith('127.0.0.1:'))
      .map(([name]) => name);
    expect(open).toEqual(['rtc_server.listen', 'rtc_server.tcp.listen']);
  });

  it('keeps what must not run off, and the log on the console without requests in it', () => {
    for (const name of ['daemon', 'http_api.crossdomain', 'http_api.raw_api.enabled', 'exporter.enabled'])
      expect(one(name)).toBe('off');
    for (const name of ['srt_server.enabled', 'query_latest_version', 'inotify_auto_reload'])
      expect(one(name)).toBe('off');
    expect(one('srs_log_tank')).toBe('console');
    expect(one('srs_log_level')).toBe('warn');
  });

  it('refuses by default who publishes and plays, in every vhost', () => {
    expect([...tree.keys()].filter((name) => /^vhost \w+$/.test(name))).toHaveLength(3);
    for (const vhost of ['__defaultVhost__', 'whip', 'whep']) {
      expect(one(`vhost ${vhost}.security.enabled`)).toBe('on');
      expect(tree.get(`vhost ${vhost}.security.allow`)).toEqual([
        ['publish', '127.0.0.1'],
        ['play', '127.0.0.1'],
      ]);
      expect(one(`vhost ${vhost}.http_hooks.enabled`)).toBe('on');
    }
  });

  it('calls hooks by address, never by name', () => {
    const urls = [...tree]
      .filter(([name]) => name.includes('.on_'))
      .map(([, [words]]) => words?.join(' ') ?? '');
    expect(urls).toHaveLength(12);
    for (const url of urls) expect(url).toMatch(/^http:\/\/\d+\.\d+\.\d+\.\d+:\d+\//);
  });

  it('transcodes where browsers listen and nowhere else, and well', () => {
    expect(tree.has('vhost __defaultVhost__.rtc')).toBe(false);
    expect(one('vhost whip.rtc.rtc_to_rtmp')).toBe('off');
    expect(one('vhost whip.rtc.rtmp_to_rtc')).toBe('off');
    expect(one('vhost whep.rtc.rtmp_to_rtc')).toBe('on');
    expect(one('vhost whep.rtc.rtc_to_rtmp')).toBe('off');
    expect(Number(one('vhost whep.rtc.opus_bitrate'))).toBeGreaterThanOrEqual(128_000);
  });

  it('says that the FLV has audio and no video, and writes HLS where it is served', () => {
    const remux = 'vhost __defaultVhost__.http_remux';
    expect([one(`${remux}.guess_has_av`), one(`${remux}.has_audio`), one(`${remux}.has_video`)]).toEqual([
      'off',
      'on',
      'off',
    ]);
    expect(one('vhost __defaultVhost__.hls.hls_path')).toBe(one('http_server.dir'));
    expect(one('vhost __defaultVhost__.hls.hls_on_error')).toBe('ignore');
    expect(one('vhost __defaultVhost__.hls.hls_ctx')).toBe('off');
  });

  it('has the measured latency, and never 0', () => {
    for (const vhost of ['__defaultVhost__', 'whip', 'whep'])
      expect(one(`vhost ${vhost}.play.mw_latency`)).toBe('10');
  });

  it('keeps what listeners have not got yet for longer than SRS may stand still', () => {
    expect(Number(one('vhost __defaultVhost__.play.queue_length'))).toBeGreaterThan(3);
  });
});

describe('the configurations of the lines', () => {
  it('are the same for 5, 6 and 7.0.18', () => {
    expect(bare(conf('5'))).toEqual(bare(conf('7')));
    expect(bare(conf('6'))).toEqual(bare(conf('7')));
  });

  it('differ from 7.0.53 on in the codecs of HLS', () => {
    const without = bare(conf('7')).filter((line) => !/^hls_[av]codec /.test(line));
    expect(bare(conf('7.0.53'))).toEqual(without);
    expect(without).toHaveLength(bare(conf('7')).length - 2);
  });

  it('differ from 7.0.64 on in the block of RTMP', () => {
    const rtmp = ['listen 127.0.0.1:1935;', 'chunk_size 60000;'];
    const moved = bare(conf('7.0.53'))
      .join('\n')
      .replace(rtmp.join('\n'), ['rtmp {', ...rtmp, '}'].join('\n'));
    expect(bare(conf('7.0.64')).join('\n')).toBe(moved);
  });

  it('say which releases they are for', () => {
    expect(conf('7').split('\n')[0]).toContain('SRS 7.0.18 (7.0.0 to 7.0.52)');
    expect(conf('7.0.162').split('\n')[0]).toContain('SRS 7.0.162 (7.0.64 and newer)');
  });
});

describe('the settings in the configuration', () => {
  it('are the daemon’s own', () => {
    const text = conf('7', {
      PORT: '4001',
      RTMP_PORT: '4002',
      MEDIA_HTTP_PORT: '4003',
      MEDIA_API_PORT: '4004',
      RTC_PORT: '4005',
      RTC_CANDIDATE: '192.0.2.7',
      HOOK_SECRET: 'a-secret-of-the-hooks',
    });
    const tree = readSrsConf(text);
    expect(tree.get('listen')).toEqual([['127.0.0.1:4002']]);
    expect(tree.get('http_server.listen')).toEqual([['127.0.0.1:4003']]);
    expect(tree.get('http_api.listen')).toEqual([['127.0.0.1:4004']]);
    expect(tree.get('rtc_server.listen')).toEqual([['4005']]);
    expect(tree.get('rtc_server.candidate')).toEqual([['192.0.2.7']]);
    expect(tree.get('vhost whep.http_hooks.on_play')).toEqual([
      ['http://127.0.0.1:4001/hooks/a-secret-of-the-hooks/on_play'],
    ]);
    expect(text).not.toMatch(/\b(1935|8080|1985|8000|3001)\b/);
  });

  it.each([
    ['0.0.0.0', '127.0.0.1'],
    ['::', '127.0.0.1'],
    ['localhost', '127.0.0.1'],
    ['192.0.2.7', '192.0.2.7'],
  ])('let SRS call a daemon that listens on %s at %s', (HOST, address) => {
    expect(conf('7', { HOST })).toContain(`on_publish http://${address}:3001/hooks/on_publish;`);
  });

  it.each(['relay.example', '::1'])('cannot let SRS call a daemon that listens on %s', (HOST) => {
    expect(() => conf('7', { HOST })).toThrow(/HOST must be an IPv4 address .*, not /);
  });

  it('say how many files SRS may need', () => {
    expect(conf('7')).toContain(`max_connections ${MAX_CONNECTIONS};`);
    expect(conf('7').replace(/\n# /g, ' ')).toContain(`ulimit -n above ${MAX_CONNECTIONS + RESERVED_FILES}.`);
  });
});

const binary = process.env['SRS_BINARY'];
if (!binary) console.warn('SRS_BINARY is not set: no SRS reads its configuration in this run.');

(binary ? describe : describe.skip)('SRS itself (SRS_BINARY)', () => {
  const program = path.resolve(binary ?? '');
  let directory: string;
  beforeEach(() => (directory = mkdtempSync(path.join(os.tmpdir(), 'srs-conf-'))));
  afterEach(() => rmSync(directory, { recursive: true }));
  const check = (text: string): { status: number | null; said: string } => {
    writeFileSync(path.join(directory, 'srs.conf'), text);
    const { status, stdout, stderr } = spawnSync(program, ['-t', '-c', 'srs.conf'], {
      cwd: directory,
      env: {},
    });
    return { status, said: stdout.toString() + stderr.toString() };
  };
  const release = (): string => spawnSync(program, ['-v'], { env: {} }).stdout.toString().trim();

  it('takes what is printed for its release', () => {
    const { status, said } = check(conf(release()));
    expect(said).toContain('is successful');
    expect(status).toBe(0);
  });

  it('takes a directory with spaces', () => {
    const options = srsConfOptions(
      loadConfig({}, { directory: EMPTY }),
      versionFor(release()),
      './my data/{srs}',
    );
    expect(check(srsConf(options)).status).toBe(0);
  });

  it('refuses what is printed for the other side of 7.0.64', () => {
    const other = takes(versionFor(release()), 'listen') ? '7.0.64' : '7.0.18';
    expect(check(conf(other)).status).not.toBe(0);
  });
});
