import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { prepareDataDir } from '../../src/base/data-dir';
import { OperatorError } from '../../src/base/errors';

let home: string;

beforeEach(() => {
  home = mkdtempSync(path.join(tmpdir(), 'vibesflow-data-'));
});

afterEach(() => {
  rmSync(home, { recursive: true });
});

function faultOf(directory: string): OperatorError {
  try {
    prepareDataDir(directory);
  } catch (error) {
    if (error instanceof OperatorError) return error;
    throw error;
  }
  throw new Error('the directory was accepted');
}

describe('the data directory', () => {
  it('is made with all that leads to it, and left empty', () => {
    const directory = path.join(home, 'a', 'b', 'c');
    prepareDataDir(directory);
    prepareDataDir(directory);
    expect(readdirSync(directory)).toEqual([]);
  });

  it('is refused in one line where it is a file, or below one', () => {
    const file = path.join(home, 'file');
    writeFileSync(file, 'mine');
    for (const directory of [file, path.join(file, 'below')]) {
      expect(faultOf(directory)).toMatchObject({ exitCode: 73 });
      expect(faultOf(directory).message).toMatch(/^DATA_DIR .* cannot be written to \(E[A-Z]+\)$/);
    }
  });

  // Root may write everywhere, but not here.
  (existsSync('/proc/self') ? it : it.skip)('is refused where nothing can be made, also for root', () => {
    for (const directory of ['/proc', '/proc/vibesflow', '/proc/vibesflow/data']) {
      expect(faultOf(directory).exitCode).toBe(73);
    }
  });
});
