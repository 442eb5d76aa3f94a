import { readFileSync } from 'node:fs';
import path from 'node:path';
import type { Config } from '../../base/config';
import { srsConf, srsConfOptions } from '../../media-server/srs/conf';
import { isKnown, parseSrsVersion, type SrsVersion, versionText } from '../../media-server/srs/lines';
import { knownBugs } from '../../media-server/srs-supervisor/known-bugs';
import { localUrl, reason } from '../relay-api';
import { ask, json } from './ask';
import { type Check, fail, ok, warn } from './check';

const NAME = 'srs';

/** What SRS says of its own process. */
interface Self {
  readonly version?: string;
  /** Its arguments, separated by blanks. */
  readonly argv?: string;
  readonly cwd?: string;
}

/** Whether SRS's API answers, which SRS it is, with which configuration it runs, and whether its hooks are let in. */
export async function checkSrs(config: Config, daemonRuns: boolean): Promise<Check[]> {
  const host = new URL(config.rtmpUrl).hostname;
  const api = `http://${host}:${config.mediaApiPort}`;
  let facts: { version: SrsVersion; self: Self };
  try {
    facts = await readFacts(api);
  } catch (error) {
    const remedy = 'start it (`vibesflow srs run`), or set MEDIA_API_PORT and RTMP_URL to where it is';
    return [fail(NAME, `its API does not answer at ${api} (${reason(error)})`, remedy)];
  }
  const { version, self } = facts;
  const checks: Check[] = [];
  checks.push(checkVersion(version, api));
  const conf = checkConf(config, version, self);
  if (conf) checks.push(conf);
  if (daemonRuns) checks.push(...(await checkHooks(config)));
  return checks;
}

/** Which SRS it is, and what is known to be wrong with it. */
function checkVersion(version: SrsVersion, api: string): Check {
  const found = `SRS ${versionText(version)}, API at ${api}`;
  if (!isKnown(version))
    return fail(NAME, `${found}: nobody tried this line with the relay`, 'run SRS 5, 6 or 7');
  const bugs = knownBugs(version);
  if (bugs.length === 0) return ok(NAME, found);
  const remedy =
    'the relay works around them; `vibesflow srs status` says how, and a newer release has fewer';
  return warn(NAME, `${found}, with known faults: ${bugs.map(({ id }) => id).join(', ')}`, remedy);
}

async function readFacts(api: string): Promise<{ version: SrsVersion; self: Self }> {
  const answer = json(await ask(`${api}/api/v1/summaries`));
  const data = (answer?.['data'] ?? {}) as { self?: Self };
  const version = parseSrsVersion(data.self?.version ?? '');
  if (!data.self || !version) throw new Error('what answers is not SRS');
  return { version, self: data.self };
}

/**
 * Compares the file that SRS was started with to the one that these settings make for its release: SRS tells its
 * arguments and its directory.
 * @returns nothing where that file cannot be read here, as in a container
 */
function checkConf(config: Config, version: SrsVersion, self: Self): Check | undefined {
  const name = 'srs configuration';
  const file = /(?:^|\s)-c\s+(\S+)/.exec(self.argv ?? '')?.[1];
  if (file === undefined) return undefined;
  const full = path.resolve(self.cwd ?? '.', file);
  let running: string;
  try {
    running = readFileSync(full, 'utf8');
  } catch {
    return undefined;
  }
  const line = versionText(version);
  const wanted = srsConf(srsConfOptions(config, version, path.join(config.dataDir, 'srs')));
  const missing = [...directives(wanted)].filter((directive) => !directives(running).has(directive));
  if (missing.length === 0) return ok(name, `${full} is what \`vibesflow srs conf --for ${line}\` prints`);
  const remedy = `\`vibesflow srs conf --for ${line} > ${full}\`, then restart SRS; unless you changed it on purpose`;
  const isCut = missing.some((directive) => /^(on_publish|on_unpublish)\b/.test(directive));
  const found = `${full} differs from what these settings need: ${missing.slice(0, 3).join(' ')}${missing.length > 3 ? ' …' : ''}`;
  return isCut ? fail(name, redact(found, config), remedy) : warn(name, redact(found, config), remedy);
}

/** The lines that say something, without those that name directories: they may be relative. */
function directives(text: string): Set<string> {
  return new Set(
    text
      .split('\n')
      .map((line) => line.replace(/#.*/, '').trim().replace(/\s+/g, ' '))
      .filter((line) => line.endsWith(';') && !/^(pid|dir|hls_path|hls_ts_file) /.test(line)),
  );
}

function redact(text: string, { hookSecret }: Config): string {
  return hookSecret === undefined ? text : text.replaceAll(hookSecret, '***');
}

/** Calls a hook as SRS does, for a stream that is not there; and once more as somebody who comes through a proxy. */
async function checkHooks(config: Config): Promise<Check[]> {
  const name = 'hooks';
  const secret = config.hookSecret === undefined ? '' : `/${config.hookSecret}`;
  const url = `${localUrl(config)}/hooks${secret}/on_play`;
  const call = {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({
      action: 'on_play',
      client_id: 'doctor',
      ip: '127.0.0.1',
      vhost: '__defaultVhost__',
      app: 'live',
      stream: 'doctor',
      param: '',
    }),
  };
  const startedMs = performance.now();
  const answer = await ask(url, call).catch((error: unknown) => error as Error);
  const tookMs = performance.now() - startedMs;
  if (answer instanceof Error)
    return [fail(name, `no answer: ${reason(answer)}`, 'look into the daemon’s log')];
  if (answer.status !== 200 || typeof json(answer)?.['code'] !== 'number') {
    const remedy = 'set the same HOOK_SECRET for the daemon and in SRS’s configuration, and restart both';
    return [fail(name, `the daemon turns SRS’s calls away (${answer.status})`, remedy)];
  }
  const foreign = await ask(url, { ...call, headers: { ...call.headers, 'x-forwarded-for': '192.0.2.1' } });
  if (foreign.status !== 403) {
    const remedy = 'this should not be: please report it';
    return [fail(name, `a call through a proxy was let in (${foreign.status})`, remedy)];
  }
  return [ok(name, `answered in ${tookMs.toFixed(1)} ms; closed to who comes through a proxy`)];
}
