import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readFileSync, readdirSync, readlinkSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { stripVTControlCharacters } from 'node:util';

const REPORTER = fileURLToPath(new URL('jest-journal.cjs', import.meta.url));

/**
 * Runs jest with our output as its own, and tells what came of it, also where it hung and had to be killed: a test
 * that fails may leave something open, and jest then waits for it without end.
 *
 * @param root the project
 * @param args for jest
 * @param options `journal`: a file for what happens; `limitMs`: what takes longer is killed, with all that it started
 * @returns `failures` are those of tests and of test files, `faults` those of the run as a whole, each as
 *   `{ what, why }`; `unjudged` are the warnings of tests that could not judge, because the machine was too busy
 */
export async function runJest(root, args, { env, journal, limitMs }) {
  mkdirSync(path.dirname(journal), { recursive: true });
  writeFileSync(journal, '');
  const jest = path.join(root, 'node_modules', 'jest', 'bin', 'jest.js');
  const all = [jest, ...args, '--reporters=default', `--reporters=${REPORTER}`];
  const { status, late, left } = await watched(all, {
    root,
    env: { ...env, JEST_JOURNAL: journal },
    limitMs,
  });
  const { ended, running, ...seen } = readJournal(journal);
  const faults = [];
  const where = running.length > 0 ? `, in the middle of ${running.join('; ')}` : '';
  if (late) faults.push({ what: `killed after ${Math.round(limitMs / 1000)} s${where}` });
  else if (!ended) faults.push({ what: `jest ended with ${status} and no report${where}` });
  else if (status !== 0 && seen.failures.length === 0) faults.push({ what: `jest ended with ${status}` });
  if (left.length > 0)
    faults.push({ what: 'left processes behind; they are ended now', why: left.join('\n') });
  return { ...seen, faults };
}

/** Runs Node with these arguments; kills it, and everything that it started, where it takes too long. */
async function watched(args, { root, env, limitMs }) {
  const before = new Set(processes().map(({ pid }) => pid));
  const child = spawn(process.execPath, args, { cwd: root, env, stdio: ['ignore', 'inherit', 'inherit'] });
  let late = false;
  const timer = setTimeout(() => {
    late = true;
    // Before it is gone, because its children are not known by their parent any more then.
    for (const { pid } of [...descendants(child.pid), { pid: child.pid }]) kill(pid);
  }, limitMs);
  const stop = (signal) => child.kill(signal);
  process.once('SIGINT', stop).once('SIGTERM', stop);
  const [status, signal] = await once(child, 'exit');
  clearTimeout(timer);
  process.off('SIGINT', stop).off('SIGTERM', stop);
  // What a run beside this one has started still hangs on it, and it on us; what was left behind hangs on nobody here.
  const ours = new Set(descendants(process.pid).map(({ pid }) => pid));
  const strays = processes().filter(
    (entry) => !before.has(entry.pid) && !ours.has(entry.pid) && isOfATest(entry, root),
  );
  for (const { pid } of strays) kill(pid);
  // Last, because it ends this process: a jest that is told to end leaves the daemons of its tests behind.
  if (signal === 'SIGINT' || signal === 'SIGTERM') process.kill(process.pid, signal);
  return {
    status: status ?? signal,
    late,
    left: strays.map(({ pid, argv }) => `${pid} ${argv.slice(0, 150)}`),
  };
}

/** Whether a process is the built program, run in a directory that a test made for it. */
function isOfATest({ pid, argv }, root) {
  if (!argv.includes(path.join(root, 'dist'))) return false;
  try {
    return readlinkSync(`/proc/${pid}/cwd`).startsWith(path.join(os.tmpdir(), 'vibesflow-'));
  } catch {
    return false;
  }
}

/** All processes that can be seen; none where there is no /proc. */
function processes() {
  if (!existsSync('/proc/self/stat')) return [];
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => {
      try {
        const stat = readFileSync(`/proc/${name}/stat`, 'latin1');
        const parent = Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]);
        const argv = readFileSync(`/proc/${name}/cmdline`, 'utf8').replaceAll('\0', ' ').trim();
        return [{ pid: Number(name), parent, argv }];
      } catch {
        return [];
      }
    });
}

function descendants(ancestor) {
  const all = processes();
  const family = new Set([ancestor]);
  for (let size = 0; size !== family.size;) {
    size = family.size;
    for (const { pid, parent } of all) if (family.has(parent)) family.add(pid);
  }
  return all.filter(({ pid }) => pid !== ancestor && family.has(pid));
}

function kill(pid) {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It has ended by itself.
  }
}

function said(text) {
  return stripVTControlCharacters(text);
}

/** What a jest run, finished or not, has told its journal. */
function readJournal(file) {
  const seen = { passed: 0, skipped: 0, failures: [], unjudged: [], running: [], ended: false };
  const open = new Map();
  const count = (testFile, { name, status, messages }) => {
    if (status === 'passed') seen.passed += 1;
    else if (status === 'failed')
      seen.failures.push({ what: `${testFile}: ${name}`, why: said(messages.join('\n')) });
    else seen.skipped += 1;
  };
  for (const line of readFileSync(file, 'utf8').split('\n')) {
    if (line === '') continue;
    const event = JSON.parse(line);
    if (event.type === 'file-start') open.set(event.file, { tests: [], at: undefined });
    if (event.type === 'test-start') Object.assign(open.get(event.file) ?? {}, { at: event.name });
    if (event.type === 'test-end') open.get(event.file)?.tests.push(event);
    if (event.type === 'file-end') {
      open.delete(event.file);
      for (const test of event.tests) count(event.file, test);
      if (event.fault) seen.failures.push({ what: event.file, why: said(event.fault) });
      const warned = event.warnings.filter((text) => text.startsWith('NOT JUDGED'));
      seen.unjudged.push(...warned.map((text) => `${event.file}: ${text}`));
    }
    if (event.type === 'end') seen.ended = true;
  }
  for (const [testFile, { tests, at }] of open) {
    for (const test of tests) count(testFile, test);
    seen.running.push(at ? `${testFile}: ${at}` : testFile);
  }
  return seen;
}
