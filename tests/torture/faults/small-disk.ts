import { mkdtempSync, rmdirSync, rmSync, writeFileSync, writeSync, openSync, closeSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { outputOf } from '../../helpers/run-program';

/** A file system in memory, of so many MiB, that a test can fill up. Needs root. */
export class SmallDisk {
  readonly path: string;

  private constructor(directory: string) {
    this.path = directory;
  }

  static async mount(mebibytes: number): Promise<SmallDisk> {
    const directory = mkdtempSync(path.join(os.tmpdir(), 'vibesflow-disk-'));
    await outputOf('mount', ['-t', 'tmpfs', '-o', `size=${mebibytes}m`, 'tmpfs', directory]);
    return new SmallDisk(directory);
  }

  /** Writes until nothing more fits. @returns what was seen, in words @throws {Error} where it did not get full */
  fill(): string {
    const file = openSync(this.#ballast, 'w');
    try {
      for (let kibibytes = 0; kibibytes < 2 ** 20; kibibytes += 64) writeSync(file, Buffer.alloc(65_536));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
      return `another byte: ${refusalIn(this.path)}`;
    } finally {
      closeSync(file);
    }
    throw new Error('the disk does not get full');
  }

  /** What `fill` wrote is gone. */
  free(): void {
    rmSync(this.#ballast, { force: true });
  }

  /** Mounts something that can only be read over one of its directories. @returns what was seen, in words */
  async cover(directory: string): Promise<string> {
    await outputOf('mount', ['-t', 'tmpfs', '-o', 'ro', 'tmpfs', directory]);
    return `a file there: ${refusalIn(directory)}`;
  }

  async uncover(directory: string): Promise<void> {
    await outputOf('umount', [directory]);
  }

  async unmount(): Promise<void> {
    await outputOf('umount', [this.path]);
    rmdirSync(this.path);
  }

  get #ballast(): string {
    return path.join(this.path, 'ballast');
  }
}

function refusalIn(directory: string): string {
  const probe = path.join(directory, 'probe');
  try {
    writeFileSync(probe, Buffer.alloc(65_536));
  } catch (error) {
    rmSync(probe, { force: true });
    return (error as NodeJS.ErrnoException).code ?? 'no code';
  }
  rmSync(probe, { force: true });
  throw new Error('a file could be written');
}
