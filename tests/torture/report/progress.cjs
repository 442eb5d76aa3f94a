/**
 * A jest reporter for `npm run torture`: a line for each fault when its verdict is there, what went wrong where something
 * did, and a sign of life meanwhile. Some faults take a minute.
 */
const SAY_EVERY_MS = 20_000;

const seconds = (ms) => `${(ms / 1000).toFixed(0)} s`;
const say = (line) => process.stderr.write(`${line}\n`);

module.exports = class Progress {
  #now;
  #timer;

  onRunStart() {
    this.#timer = setInterval(() => {
      if (this.#now) say(`  … ${this.#now.title}: ${seconds(Date.now() - this.#now.sinceMs)}`);
    }, SAY_EVERY_MS);
    this.#timer.unref();
  }

  onTestFileStart({ path }) {
    say(`▸ ${/([^/]+)\.test\.ts$/.exec(path)?.[1] ?? path}`);
  }

  onTestCaseStart(_test, { title }) {
    this.#now = { title, sinceMs: Date.now() };
  }

  onTestCaseResult(_test, { fullName, ancestorTitles, title, status, duration, failureMessages }) {
    this.#now = undefined;
    // The end of the outermost name says with which SRS, or why it was skipped.
    const where = / (\[[^\]]*\])$/.exec(ancestorTitles[0] ?? fullName)?.[1];
    const what = where && !title.includes(where) ? `${title} ${where}` : title;
    if (status === 'passed') return say(`  ✓ ${what} (${seconds(duration ?? 0)})`);
    if (status !== 'failed') return say(`  – ${what}: skipped`);
    say(`  ✗ ${what} (${seconds(duration ?? 0)})`);
    for (const message of failureMessages) say(message.replace(/^/gm, '      '));
  }

  onTestFileResult(_test, { testExecError, failureMessage }) {
    if (testExecError) say(failureMessage ?? String(testExecError));
  }

  onRunComplete() {
    clearInterval(this.#timer);
  }

  getLastError() {}
};
