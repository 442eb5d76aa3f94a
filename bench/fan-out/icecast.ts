import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { freePort } from '../../tests/helpers/free-port';
import { PinnedProgram } from './pinned-program';
import type { FanOutServer } from './server';

const PASSWORD = 'bench';

/**
 * Icecast, without its burst for players who join: the same AAC at the same bit rate, in ADTS.
 * @param program the path of `icecast2`
 */
export async function startIcecast(core: number, program: string): Promise<FanOutServer> {
  const port = await freePort();
  const directory = mkdtempSync(path.join(os.tmpdir(), 'vibesflow-icecast-'));
  // It refuses to stay root, and another user must be able to write its logs.
  chmodSync(directory, 0o777);
  const file = path.join(directory, 'icecast.xml');
  writeFileSync(file, configuration(port, directory));
  const icecast = await PinnedProgram.start('Icecast', { core, program, args: ['-c', file], port });
  return {
    name: 'Icecast',
    feedUrl: `icecast://source:${PASSWORD}@127.0.0.1:${port}/crowded`,
    feedMuxer: 'f=adts:flush_packets=1:content_type=audio/aac',
    door: { kind: 'http', port, path: '/crowded' },
    pid: icecast.pid,
    framingBytesPerTag: undefined,
    async stop() {
      await icecast.stop();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

function configuration(port: number, directory: string): string {
  const owner = '<changeowner><user>nobody</user><group>nogroup</group></changeowner>';
  return `<icecast>
  <hostname>localhost</hostname>
  <limits>
    <clients>10000</clients><sources>2</sources><burst-on-connect>0</burst-on-connect><burst-size>0</burst-size>
    <queue-size>524288</queue-size><header-timeout>15</header-timeout><source-timeout>10</source-timeout>
  </limits>
  <authentication>
    <source-password>${PASSWORD}</source-password>
    <admin-user>admin</admin-user><admin-password>${PASSWORD}</admin-password>
  </authentication>
  <listen-socket><port>${port}</port><bind-address>127.0.0.1</bind-address></listen-socket>
  <paths>
    <basedir>${directory}</basedir><logdir>${directory}</logdir>
    <webroot>${directory}</webroot><adminroot>${directory}</adminroot>
  </paths>
  <logging><accesslog>access.log</accesslog><errorlog>error.log</errorlog><loglevel>1</loglevel></logging>
  <security><chroot>0</chroot>${process.getuid?.() === 0 ? owner : ''}</security>
</icecast>
`;
}
