import { existsSync } from 'node:fs';
import path from 'node:path';
import { ROOT, readSources } from '../helpers/sources';

const MAX_LINES = 300;

/** Files that may be longer, and why. */
const LONG: Readonly<Record<string, string>> = {};

/** Files without a test of their own, and where they are tested instead. */
const TESTED_ELSEWHERE: Readonly<Record<string, string>> = {
  'app.ts': 'wiring alone: every end-to-end test runs it',
  'main.ts': 'a process: tests/e2e/close.test.ts and tests/e2e/cli.test.ts see it from outside',
  'base/auth-settings.ts': 'tests/base/config.test.ts, every entry',
  'base/journal-metrics.ts': 'tests/repo/metrics.test.ts, as all metrics',
  'base/config-table.ts': 'tests/repo/documents.test.ts compares it with the README',
  'base/limit-settings.ts': 'tests/base/config.test.ts, every entry',
  'base/settings.ts': 'tests/base/config.test.ts, every entry',
  'base/version.ts': 'one constant: tests/cli/program.test.ts sees it',
  'cli/doctor/check.ts': 'a type and what fills it',
  'cli/doctor/live.ts': 'tests/e2e/doctor.test.ts, with a real daemon',
  'cli/ear.ts': 'tests/cli/listen.test.ts hears with it',
  'cli/exit-code.ts': 'constants',
  'cli/ffmpeg.ts': 'one call of encoder/ffmpeg-path',
  'base/setting-parsers.ts': 'tests/base/config.test.ts, every refusal included',
  'cli/sender.ts': 'a type and its constants; the two senders have tests',
  'cli/serve.ts': 'a process: tests/e2e/cli.test.ts sees it from outside',
  'cli/srs.ts': 'wiring: tests/cli/srs-*.test.ts go through it',
  'cli/srs-api-url.ts': 'one line: tests/cli/srs-status.test.ts goes through it',
  'cli/srs-run.ts': 'a process: tests/e2e/srs-supervisor.test.ts sees it from outside',
  'cli/token-inspect.ts': 'tests/cli/token.test.ts, every outcome',
  'cli/user-name.ts': 'one call: tests/cli/token.test.ts and tests/cli/publish.test.ts go through it',
  'cli/vibesflow.ts': 'a process: tests/e2e/cli.test.ts sees it from outside',
  'encoder/encoder.ts': 'types',
  'http/app.ts': 'wiring: tests/http/server.test.ts speaks to all of it',
  'http/audio-json.ts': 'tests/http/ingest-http.test.ts, every refusal included',
  'http/audio-post.ts': 'tests/http/ingest-http.test.ts, every refusal included',
  'http/audio-request.ts': 'tests/http/ingest-http.test.ts, every refusal included',
  'http/body-reader.ts': 'tests/http/ingest-stream.test.ts, by hand-made sockets',
  'http/context.ts': 'types and what they are filled with',
  'http/doors.ts': 'tests/http/server.test.ts asks each for other methods',
  'http/hosts.ts': 'tests/http/server.test.ts, requests that name two',
  'http/json-body.ts': 'tests/http/vibes.test.ts, every refusal included',
  'http/raw-answer.ts': 'tests/http/server.test.ts and tests/http/ingest-websocket.test.ts',
  'http/request-body.ts': 'tests/http/server.test.ts, clients that wait for 100 Continue',
  'http/request-id.ts': 'tests/http/server.test.ts',
  'http/request-rate.ts': 'tests/http/guests.test.ts, with all that one address may do',
  'http/schemas.ts': 'tests/http/vibes.test.ts and tests/http/ingest-http.test.ts',
  'http/upgrade.ts': 'tests/http/ingest-websocket.test.ts, by hand-made sockets',
  'http/websocket-link.ts': 'tests/http/ingest-websocket.test.ts and tests/http/events-websocket.test.ts',
  'http/whip-creator.ts': 'tests/http/rtc.test.ts, browsers that send',
  'media-server/create-rtc.ts': 'wiring alone: tests/e2e/srs-rtc.test.ts runs it',
  'media-server/srs/whep-room.ts': 'tests/media-server/srs/rtc-gateway.test.ts, browsers that listen',
  'media-server/srs/whip-session.ts': 'tests/media-server/srs/rtc-gateway.test.ts, a browser that publishes',
  'media-server/embedded/http-answers.ts': 'tests/media-server/embedded/http-face.test.ts gets them all',
  'media-server/embedded/messages.ts': 'types',
  'media-server/media-server.ts': 'types',
  'media-server/srs/idle-hooks.ts': 'tests/media-server/srs/hook-desk.test.ts',
  'media-server/srs/conf-vhosts.ts': 'tests/media-server/srs/conf.test.ts, every vhost',
  'vibes/pipeline.ts': 'tests/vibes/vibe.test.ts: a vibe is its room and this',
  'vibes/vibe-house.ts': 'types',
  'vibes/playout.ts': 'tests/vibes/vibe.test.ts, with the clock in its hand',
  'vibes/vibe-status.ts': 'tests/vibes/vibe.test.ts',
};

/** Files that run as a process of their own, beside the daemon: their timers and exits are theirs. */
const CHILD_PROCESS = /^media-server\/embedded\//;

const sources = readSources();

/** The files that use one of the names, apart from those that may. */
function users(names: readonly string[], mayUse: RegExp): string[] {
  return sources
    .filter(({ file, uses }) => !mayUse.test(file) && names.some((name) => uses.has(name)))
    .map(({ file }) => file);
}

describe('the source files', () => {
  it(`have ${MAX_LINES} lines at most`, () => {
    const long = sources.filter(({ lines, file }) => lines > MAX_LINES && !LONG[file]);
    expect(long.map(({ file, lines }) => `${file}: ${lines}`)).toEqual([]);
  });

  it('have names in kebab-case', () => {
    expect(sources.filter(({ file }) => !/^([a-z0-9]+(-[a-z0-9]+)*[./])+ts$/.test(file))).toEqual([]);
  });

  it('have a test each, or a reason', () => {
    const untested = sources
      .map(({ file }) => file)
      .filter((file) => !TESTED_ELSEWHERE[file])
      .filter((file) => !existsSync(path.join(ROOT, 'tests', file.replace(/\.ts$/, '.test.ts'))));
    expect(untested).toEqual([]);
  });

  it('have no reason that is out of date', () => {
    const stale = Object.keys(TESTED_ELSEWHERE).filter(
      (file) =>
        !existsSync(path.join(ROOT, 'src', file)) ||
        existsSync(path.join(ROOT, 'tests', file.replace(/\.ts$/, '.test.ts'))),
    );
    expect(stale).toEqual([]);
  });

  it('read the environment in one place: base/config.ts is handed it by main.ts and the commands', () => {
    expect(users(['process.env'], /^(base\/config\.ts|main\.ts|cli\/.*)$/)).toEqual([]);
  });

  it('keep time by the injected clock', () => {
    const timers = ['setTimeout', 'setInterval', 'Date.now', 'performance.now'];
    expect(users(timers, new RegExp(`^(base/clock\\.ts|cli/)|${CHILD_PROCESS.source}`))).toEqual([]);
  });

  it('leave exiting to the entry points', () => {
    expect(
      users(['process.exit', 'process.abort'], new RegExp(`^(main\\.ts|cli/)|${CHILD_PROCESS.source}`)),
    ).toEqual([]);
  });

  it('write to the log, not to the console', () => {
    expect(users(['console'], /^$/)).toEqual([]);
  });
});
