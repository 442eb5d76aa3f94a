import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import os from 'node:os';
import { FFMPEG } from '../../tests/helpers/ffmpeg';

/** Where and with what a report was made. */
export interface Machine {
  readonly cores: number;
  readonly cpu: string;
  readonly memoryGiB: number;
  /** Such as `Debian GNU/Linux 12 (bookworm)`; not there in older reports. */
  readonly system?: string;
  readonly kernel: string;
  readonly node: string;
  readonly ffmpeg: string;
  /** The commit measured; ` (changed)` behind it where the tree differed. */
  readonly commit: string;
}

export function describeMachine(): Machine {
  return {
    cores: os.availableParallelism(),
    cpu: os.cpus()[0]?.model.trim() ?? 'unknown',
    memoryGiB: Math.round(os.totalmem() / 2 ** 30),
    system: system(),
    kernel: os.release(),
    node: process.version,
    ffmpeg: ffmpegVersion(FFMPEG),
    commit: commit(),
  };
}

/** As the program says it: `5.1.9-0+deb12u1`. */
export function ffmpegVersion(path: string): string {
  return (
    /^ffmpeg version (\S+)/.exec(execFileSync(path, ['-version'], { encoding: 'utf8' }))?.[1] ?? 'unknown'
  );
}

function system(): string | undefined {
  try {
    return /^PRETTY_NAME="?([^"\n]*)/m.exec(readFileSync('/etc/os-release', 'utf8'))?.[1];
  } catch {
    return undefined;
  }
}

function commit(): string {
  const git = (...args: string[]): string =>
    execFileSync('git', args, {
      encoding: 'utf8',
      cwd: __dirname,
      stdio: ['ignore', 'pipe', 'ignore'],
    }).trim();
  try {
    const changed = git('status', '--porcelain', '--untracked-files=no', '--', '../../src') !== '';
    return git('rev-parse', '--short', 'HEAD') + (changed ? ' (changed)' : '');
  } catch {
    return 'unknown';
  }
}
