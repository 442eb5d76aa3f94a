/**
 * A jest reporter for `npm test`: notes everything that happens in a journal, a line of JSON each, so that a verdict
 * can be given of a run that hangs and is killed, too; and says now and then what runs, because jest itself is silent
 * where there is no terminal. JEST_JOURNAL names the file.
 */
const { appendFileSync } = require('node:fs');
const path = require('node:path');

const SAY_EVERY_MS = 60_000;

/** What is wrong with a file beside its tests. For an error in a clean-up jest has it in its own report alone. */
function faultOf({ testExecError, failureMessage }) {
  return testExecError.message || String(failureMessage).split('Test suite failed to run').at(-1);
}

module.exports = class Journal {
  #root;
  #running = new Map();
  #timer;

  constructor({ rootDir }) {
    this.#root = rootDir;
  }

  onRunStart() {
    this.#timer = setInterval(() => this.#sayWhatRuns(), SAY_EVERY_MS);
    this.#timer.unref();
  }

  onTestFileStart({ path: file }) {
    this.#running.set(file, Date.now());
    this.#note({ type: 'file-start', file });
  }

  onTestCaseStart({ path: file }, { fullName }) {
    this.#note({ type: 'test-start', file, name: fullName });
  }

  onTestCaseResult({ path: file }, { fullName, status, failureMessages }) {
    this.#note({ type: 'test-end', file, name: fullName, status, messages: failureMessages });
  }

  onTestFileResult({ path: file }, result) {
    this.#running.delete(file);
    const warnings = (result.console ?? [])
      .filter(({ type }) => type === 'warn')
      .map(({ message }) => message);
    const tests = result.testResults.map(({ fullName, status, failureMessages }) => ({
      name: fullName,
      status,
      messages: failureMessages,
    }));
    // A file that cannot even be loaded, or whose clean-up fails, has no failed test to show for it.
    const fault = result.testExecError && faultOf(result);
    this.#note({ type: 'file-end', file, tests, fault, warnings });
  }

  onRunComplete(_contexts, { success }) {
    clearInterval(this.#timer);
    this.#note({ type: 'end', success });
  }

  getLastError() {}

  #note({ file, ...event }) {
    const line = JSON.stringify({ ...event, file: file && path.relative(this.#root, file) });
    appendFileSync(process.env.JEST_JOURNAL, `${line}\n`);
  }

  #sayWhatRuns() {
    for (const [file, sinceMs] of this.#running) {
      const seconds = Math.round((Date.now() - sinceMs) / 1000);
      process.stderr.write(`… ${path.relative(this.#root, file)} runs for ${seconds} s\n`);
    }
  }
};
