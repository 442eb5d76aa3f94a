import { type ChildProcess, fork } from 'node:child_process';
import type { FromChild, ToChild } from '../../../src/media-server/embedded/messages';
import { FlvListener } from '../../helpers/flv-listener';
import { freePorts } from '../../helpers/free-port';
import { MediaHouse } from '../../helpers/media-house';

const compiled = MediaHouse.compile();
afterAll(() => compiled.remove());

describe('the process within the embedded media server', () => {
  let child: ChildProcess;
  let ports: [number, number];
  let exited: Promise<number | null>;

  beforeEach(async () => {
    ports = (await freePorts(2)) as [number, number];
    child = fork(compiled.file('media-server/embedded/child'), [], { env: {}, execArgv: [] });
    exited = new Promise((resolve) => child.once('exit', resolve));
  });
  afterEach(() => void child.kill('SIGKILL'));

  function say(message: ToChild): void {
    child.send(message);
  }

  async function hears(type: FromChild['type']): Promise<FromChild> {
    return new Promise((resolve) => {
      const look = (message: FromChild): void => {
        if (message.type !== type) return;
        child.off('message', look);
        resolve(message);
      };
      child.on('message', look);
    });
  }

  it('goes when the relay is gone, whoever still listens', async () => {
    say({ type: 'announce', vibeId: 'demo', isPrivate: false });
    say({ type: 'listen', rtmpPort: ports[0], httpHost: '127.0.0.1', httpPort: ports[1] });
    await hears('listening');
    const listener = await FlvListener.connect(`http://127.0.0.1:${ports[1]}/live/demo.flv`);
    child.disconnect();
    expect(await exited).toBe(0);
    expect(await listener.end()).toBe('cut');
  });

  it('answers pings', async () => {
    const pong = hears('pong');
    say({ type: 'ping' });
    expect(await pong).toEqual({ type: 'pong' });
  });

  it('says which port it cannot have, frees the other one, and goes', async () => {
    say({ type: 'listen', rtmpPort: ports[0], httpHost: '127.0.0.1', httpPort: ports[0] });
    expect(await hears('refused')).toMatchObject({ what: 'HTTP', code: 'EADDRINUSE' });
    expect(await exited).toBe(0);
  });
});
