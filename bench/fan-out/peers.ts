import { existsSync } from 'node:fs';
import { SRS_BINARY } from '../../tests/helpers/srs';
import { findSystemProgram } from '../../tests/helpers/system-program';
import { startIcecast } from './icecast';
import { NGINX_RTMP_MODULE, startNginxRtmp } from './nginx-rtmp';
import type { FanOutServer } from './server';
import { startSrs } from './srs';

/** Whatever peers there are on this machine; of the others a note says that they are missing. */
export async function startPeers(core: number, note: (text: string) => void): Promise<FanOutServer[]> {
  const peers: FanOutServer[] = [];
  const icecast = findSystemProgram('icecast2');
  if (icecast) peers.push(await startIcecast(core, icecast));
  else note('Icecast is not installed here (Debian: icecast2)');
  const nginx = findSystemProgram('nginx');
  if (nginx && existsSync(NGINX_RTMP_MODULE)) peers.push(await startNginxRtmp(core, nginx));
  else note('nginx’s RTMP module is not installed here (Debian: nginx, libnginx-mod-rtmp)');
  if (SRS_BINARY) peers.push(await startSrs(core));
  else note('SRS_BINARY names no SRS');
  return peers;
}
