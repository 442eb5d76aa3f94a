/*
 * `npm start`: from a fresh clone to a running relay. Installs what is missing, builds what is stale, then becomes the
 * daemon: it runs in this very process, so signals and exit codes need no passing on.
 * Needs nothing but Node and npm. Up to the version check it keeps to what Node 12 can read, so that an old Node is
 * told so instead of tripping over the syntax.
 */
import { spawnSync } from 'child_process';
import { createHash } from 'crypto';
import { existsSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'fs';
import { createRequire } from 'module';
import path from 'path';
import { fileURLToPath } from 'url';
import { isInstalled } from './installed.mjs';

const ROOT = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..');
const STAMP = path.join(ROOT, 'dist', '.built-from');
const PROGRAM = path.join(ROOT, 'dist', 'cli', 'program.js');
/** What a build is made from. */
const SOURCES = [
  'src',
  'scripts',
  'package.json',
  'package-lock.json',
  'tsconfig.json',
  'tsconfig.build.json',
];
const OLDEST_NODE = [20, 19];

checkNode();
if (!isInstalled(ROOT)) install();
if (!isBuilt()) build();
process.exitCode = await createRequire(import.meta.url)(PROGRAM).run(['serve', ...process.argv.slice(2)]);

function checkNode() {
  const [major, minor] = process.versions.node.split('.').map(Number);
  if (major > OLDEST_NODE[0] || (major === OLDEST_NODE[0] && minor >= OLDEST_NODE[1])) return;
  fail(
    `VibesFlow needs Node ${OLDEST_NODE.join('.')} or newer; this is ${process.versions.node}. See https://nodejs.org`,
    69,
  );
}

function install() {
  say('Installing the dependencies (npm ci), once …');
  // With NODE_ENV=production npm would leave out the compiler.
  npm(
    ['ci', '--include=dev', '--ignore-scripts', '--no-audit', '--no-fund'],
    'The dependencies could not be installed',
  );
}

function isBuilt() {
  if (!existsSync(PROGRAM) || !existsSync(STAMP)) return false;
  return readFileSync(STAMP, 'utf8') === sourcesHash();
}

function build() {
  say('Building …');
  rmSync(STAMP, { force: true });
  const hash = sourcesHash();
  npm(['run', '--silent', 'build'], 'The build failed');
  writeFileSync(STAMP, hash);
}

/** A checksum of the names and contents of all sources: times of files say nothing after a checkout. */
function sourcesHash() {
  const hash = createHash('sha256').update(process.versions.node);
  const add = (file) => {
    if (statSync(file).isDirectory()) {
      readdirSync(file)
        .sort()
        .forEach((name) => add(path.join(file, name)));
    } else {
      hash.update(`${path.relative(ROOT, file)}\0`).update(readFileSync(file));
    }
  };
  SOURCES.map((name) => path.join(ROOT, name)).forEach(add);
  return hash.digest('hex');
}

/** Runs npm: the one that runs this script, where it was `npm start`. */
function npm(args, failure) {
  const script = process.env.npm_execpath;
  const isNpm = script !== undefined && /npm-cli\.c?js$/.test(script);
  const [program, ...first] = isNpm ? [process.execPath, script] : ['npm'];
  // Its progress goes to stderr, like all that is not the daemon's own output.
  const result = spawnSync(program, [...first, ...args], { cwd: ROOT, stdio: ['ignore', 2, 2] });
  if (result.error) fail(`${failure}: ${result.error.message}`, 69);
  if (result.signal) process.kill(process.pid, result.signal);
  if (result.status !== 0) fail(`${failure}; the reason is above.`, result.status || 1);
}

function say(line) {
  process.stderr.write(`${line}\n`);
}

function fail(line, exitCode) {
  say(line);
  process.exit(exitCode);
}
