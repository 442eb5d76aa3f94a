import net from 'node:net';
import { SynBlackHole } from './syn-black-hole';

const describeOnLinux = process.platform === 'linux' ? describe : describe.skip;

async function knock(port: number): Promise<string> {
  const socket = net.connect(port, '127.0.0.1');
  const answer = await new Promise<string>((resolve) => {
    const timer = setTimeout(() => resolve('nothing'), 50);
    for (const event of ['connect', 'error'])
      socket.once(event, () => {
        clearTimeout(timer);
        resolve(event);
      });
  });
  socket.destroy();
  return answer;
}

describeOnLinux('a port that swallows the first packet', () => {
  it('answers nobody, and refuses once it is closed', async () => {
    const hole = await SynBlackHole.open();
    expect(await knock(hole.port)).toBe('nothing');
    await hole.close();
    expect(await knock(hole.port)).toBe('error');
  });
});
