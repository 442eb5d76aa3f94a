import { PinnedProgram } from '../../bench/fan-out/pinned-program';
import { eventually } from '../helpers/eventually';
import { freePort, takesConnections } from '../helpers/free-port';
import { readProcess } from '../helpers/processes';
import { findSystemProgram } from '../helpers/system-program';

const SERVES =
  'setTimeout(() => require("node:net").createServer().listen(+process.argv[1], "127.0.0.1"), 30)';
const itPins = findSystemProgram('taskset') ? it : it.skip;

function start(code: string, port: number): Promise<PinnedProgram> {
  return PinnedProgram.start('the server', {
    core: 0,
    program: process.execPath,
    args: ['-e', code, String(port)],
    port,
  });
}

describe('a server that is measured beside the relay', () => {
  afterEach(() => jest.restoreAllMocks());

  itPins('has started when it takes connections, and is gone when it was stopped', async () => {
    const complaints = jest.spyOn(console, 'error').mockReturnValue();
    const port = await freePort();
    const server = await start(SERVES, port);
    expect(await takesConnections(port)).toBe(true);
    await server.stop();
    await server.stop();
    expect(readProcess(server.pid)).toBeUndefined();
    expect(complaints).not.toHaveBeenCalled();
  });

  itPins('says why it did not start', async () => {
    const ends = 'process.stderr.write("no such option"); process.exitCode = 3';
    await expect(start(ends, await freePort())).rejects.toThrow(
      'the server ended with 3; it said: no such option',
    );
    await expect(
      PinnedProgram.start('it', { core: 0, program: '/no/such/program', args: [], port: await freePort() }),
    ).rejects.toThrow(/^it ended with 127; it said: .*\/no\/such\/program/s);
  });

  itPins('says that it ended by itself', async () => {
    const complaints = jest.spyOn(console, 'error').mockReturnValue();
    const server = await start(`${SERVES}; console.error("last words")`, await freePort());
    process.kill(server.pid, 'SIGKILL');
    await eventually('it was said', () => complaints.mock.calls.length > 0);
    expect(complaints.mock.calls).toEqual([['the server ended with SIGKILL; it said: last words']]);
    await server.stop();
  });
});
