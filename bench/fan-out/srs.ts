import { HookServer } from '../../tests/helpers/hook-server';
import { Srs } from '../../tests/helpers/srs';
import { pin } from '../lib/pinned';
import type { FanOutServer } from './server';

const STREAM = 'crowded';

/** The SRS that `SRS_BINARY` names, with the configuration that the relay gives it; its hooks let everybody in. */
export async function startSrs(core: number): Promise<FanOutServer> {
  const hooks = await HookServer.start();
  const srs = await Srs.start({ hooksUrl: hooks.url });
  pin(srs.pid, core);
  return {
    name: `SRS ${srs.version}`,
    feedUrl: srs.rtmpUrl(STREAM),
    door: { kind: 'http', port: srs.ports.http, path: `/live/${STREAM}.flv` },
    pid: srs.pid,
    framingBytesPerTag: undefined,
    async stop() {
      await srs.stop();
      await hooks.close();
    },
  };
}
