import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';

const FIXTURES = path.resolve(__dirname, '../fixtures');

/** How a fake SRS differs from an obedient 7.0.18. */
export interface FakeSrsBehaviour {
  readonly version?: string;
  /** What it says to -v instead. */
  readonly saysVersion?: string;
  /** Why it does not take its configuration. */
  readonly refuses?: string;
  /** Its last words: it dies at once. */
  readonly dies?: string;
  /** It takes connections and never answers. */
  readonly hangs?: boolean;
  /** To SIGTERM. */
  readonly deaf?: boolean;
  /** Lines of its log. */
  readonly prints?: readonly string[];
  /** The process id that its API tells. */
  readonly shownPid?: number;
}

/** A directory of a test's own, with fake programs in it. */
export class FakePrograms {
  readonly directory = mkdtempSync(path.join(os.tmpdir(), 'fake-srs-'));

  /** Makes a fake SRS, or changes the one that is there. @returns its path */
  srs(behaviour: FakeSrsBehaviour = {}): string {
    return this.#program('srs', 'behaviour', behaviour, 'srs-fake.js');
  }

  /** Makes a fake docker that runs the fake SRS. @returns its path */
  docker(): string {
    const facts = { directory: this.directory, srs: path.join(this.directory, 'srs') };
    return this.#program('docker', 'docker', facts, 'docker-fake.js');
  }

  /** What docker was asked, in order. */
  get dockerCalls(): string[][] {
    return readFileSync(path.join(this.directory, 'docker.log'), 'utf8')
      .split('\n')
      .filter(Boolean)
      .map((line) => JSON.parse(line) as string[]);
  }

  remove(): void {
    rmSync(this.directory, { recursive: true, force: true });
  }

  #program(name: string, global: string, value: object, fixture: string): string {
    const file = path.join(this.directory, name);
    const text = [
      `#!${process.execPath}`,
      `globalThis.${global} = ${JSON.stringify(value)};`,
      `require(${JSON.stringify(path.join(FIXTURES, fixture))});`,
    ];
    writeFileSync(file, `${text.join('\n')}\n`);
    chmodSync(file, 0o755);
    return file;
  }
}
