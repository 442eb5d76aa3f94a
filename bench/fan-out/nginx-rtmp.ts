import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { freePort } from '../../tests/helpers/free-port';
import { PinnedProgram } from './pinned-program';
import type { FanOutServer } from './server';

/** Where Debian's libnginx-mod-rtmp puts the module. */
export const NGINX_RTMP_MODULE = '/usr/lib/nginx/modules/ngx_rtmp_module.so';

/**
 * nginx with its RTMP module: the same stream, played over RTMP, the only way it has.
 * @param program the path of `nginx`
 */
export async function startNginxRtmp(core: number, program: string): Promise<FanOutServer> {
  const port = await freePort();
  const directory = mkdtempSync(path.join(os.tmpdir(), 'vibesflow-nginx-rtmp-'));
  const file = path.join(directory, 'nginx.conf');
  writeFileSync(file, configuration(port, directory));
  const nginx = await PinnedProgram.start('nginx', {
    core,
    program,
    args: ['-c', file, '-p', directory, '-e', 'stderr'],
    port,
  });
  return {
    name: 'nginx-rtmp',
    feedUrl: `rtmp://127.0.0.1:${port}/live/crowded`,
    door: { kind: 'rtmp', port, path: 'live/crowded' },
    pid: nginx.pid,
    framingBytesPerTag: undefined,
    async stop() {
      await nginx.stop();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

function configuration(port: number, directory: string): string {
  return `load_module ${NGINX_RTMP_MODULE};
daemon off;
master_process off;
pid ${directory}/nginx.pid;
error_log stderr crit;
events { worker_connections 10000; }
rtmp {
  server {
    listen 127.0.0.1:${port};
    chunk_size 4096;
    application live { live on; access_log off; }
  }
}
`;
}
