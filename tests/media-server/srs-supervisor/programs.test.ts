import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { ask, environmentFrom, findLeash } from '../../../src/media-server/srs-supervisor/programs';
import { eventually } from '../../helpers/eventually';
import { isAlive, readProcess } from '../../helpers/processes';

const environment = environmentFrom(process.env);

describe('the environment of SRS', () => {
  it('has what programs need, and nothing that SRS would take for its configuration', () => {
    const own = {
      PATH: '/bin',
      SRS_BINARY: '/srs',
      SRS_LISTEN: '1',
      HOOK_SECRET: 's',
      DOCKER_HOST: 'unix:///d',
    };
    expect(environmentFrom(own)).toEqual({ LC_ALL: 'C', PATH: '/bin', DOCKER_HOST: 'unix:///d' });
  });
});

describe('a short program', () => {
  it('is heard on both outputs', async () => {
    const { text, error } = await ask('sh', ['-c', 'echo one; echo two >&2'], environment);
    expect(text.split('\n').filter(Boolean).sort()).toEqual(['one', 'two']);
    expect(error).toBeUndefined();
  });

  it('that fails is heard as well', async () => {
    expect(await ask('sh', ['-c', 'echo why; exit 3'], environment)).toMatchObject({
      text: 'why\n',
      error: { code: 3 },
    });
  });

  it('that is not there gives an error', async () => {
    expect((await ask('/no/such/program', [], environment)).error).toMatchObject({ code: 'ENOENT' });
  });

  it('that does not end is killed', async () => {
    expect((await ask('sleep', ['60'], environment, { limitMs: 30 })).error).toMatchObject({
      signal: 'SIGKILL',
    });
  });
});

describe('the leash', () => {
  it('is empty where there is no setpriv', async () => {
    expect(await findLeash({ PATH: '/no/such/directory' })).toEqual([]);
  });

  it('ends a program with the process that started it, even when that is killed', async () => {
    const leash = await findLeash(environment);
    expect(leash).not.toEqual([]);
    const script = `const { spawn } = require('node:child_process');
      const child = spawn(${JSON.stringify(leash[0])}, ${JSON.stringify([...leash.slice(1), 'sleep', '60'])});
      child.on('spawn', () => console.log(child.pid));`;
    const parent = spawn(process.execPath, ['-e', script], { stdio: ['ignore', 'pipe', 'inherit'] });
    const [text] = (await once(parent.stdout, 'data')) as [Buffer];
    const pid = Number(text.toString());
    const child = await eventually('the program runs', () => {
      const entry = readProcess(pid);
      return entry?.argv[0] === 'sleep' ? entry : undefined;
    });
    parent.kill('SIGKILL');
    await eventually('it is gone', () => !isAlive(child));
  });
});
