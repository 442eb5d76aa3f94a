import { transformFileSync } from '@swc/core';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';

const SRC = path.resolve(__dirname, '../../src');

/**
 * Compiles rooms of `src/` to a directory of their own, for tests that run a part of it as a process. Always what
 * the sources say now, whatever a build left in `dist/`.
 */
export class Compiled {
  readonly directory = mkdtempSync(path.join(os.tmpdir(), 'vibesflow-compiled-'));

  constructor(rooms: readonly string[]) {
    for (const room of rooms) {
      for (const file of readdirSync(path.join(SRC, room), { recursive: true, encoding: 'utf8' })) {
        if (file.endsWith('.ts')) this.#compile(path.join(room, file));
      }
    }
  }

  /** Where the JavaScript of a source file is, e.g. of `media-server/embedded/child`. */
  file(name: string): string {
    return path.join(this.directory, `${name}.js`);
  }

  remove(): void {
    rmSync(this.directory, { recursive: true, force: true });
  }

  #compile(source: string): void {
    const { code } = transformFileSync(path.join(SRC, source), {
      swcrc: false,
      jsc: { target: 'es2022', parser: { syntax: 'typescript' } },
      module: { type: 'commonjs' },
    });
    const target = path.join(this.directory, source.replace(/\.ts$/, '.js'));
    mkdirSync(path.dirname(target), { recursive: true });
    writeFileSync(target, code);
  }
}
