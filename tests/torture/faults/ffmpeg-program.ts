import { chmodSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { execFileSync } from 'node:child_process';
import os from 'node:os';
import path from 'node:path';
import { FFMPEG } from '../../helpers/ffmpeg';

/**
 * An FFmpeg that can be broken while the daemon runs: a script in its place that becomes it, or ends with 1, or sends it
 * somewhere else. Told to the daemon as `FFMPEG_PATH`.
 */
export class FfmpegProgram {
  readonly path: string;
  readonly #directory: string;
  readonly #mark: string;
  readonly #detour: string;

  constructor() {
    this.#directory = mkdtempSync(path.join(os.tmpdir(), 'vibesflow-ffmpeg-'));
    this.path = path.join(this.#directory, 'ffmpeg');
    this.#mark = path.join(this.#directory, 'broken');
    this.#detour = path.join(this.#directory, 'detour');
    const real = path.isAbsolute(FFMPEG)
      ? FFMPEG
      : execFileSync('which', [FFMPEG], { encoding: 'utf8' }).trim();
    writeFileSync(this.path, script(real, this.#mark, this.#detour));
    chmodSync(this.path, 0o755);
  }

  /** From now on it ends with 1 as soon as it is started. */
  break(): void {
    writeFileSync(this.#mark, '');
  }

  mend(): void {
    rmSync(this.#mark, { force: true });
  }

  /** From now on it publishes to another port than it is told: that of a proxy. */
  detour(port: number): void {
    writeFileSync(this.#detour, String(port));
  }

  /** From now on there is no such file. */
  remove(): void {
    renameSync(this.path, `${this.path}.away`);
  }

  bringBack(): void {
    renameSync(`${this.path}.away`, this.path);
  }

  /** Deletes it. */
  dispose(): void {
    rmSync(this.#directory, { recursive: true, force: true });
  }
}

function script(real: string, mark: string, detour: string): string {
  return `#!/bin/sh
[ -e '${mark}' ] && exit 1
if [ -e '${detour}' ]; then
  port=$(cat '${detour}')
  for arg; do
    shift
    case $arg in rtmp://*) arg=$(printf %s "$arg" | sed "s|^\\(rtmp://[^/:]*\\):[0-9]*/|\\1:$port/|") ;; esac
    set -- "$@" "$arg"
  done
fi
exec '${real}' "$@"
`;
}
