import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { BinaryDriver } from '../../../src/media-server/srs-supervisor/binary-driver';
import { environmentFrom } from '../../../src/media-server/srs-supervisor/programs';
import { FakePrograms, type FakeSrsBehaviour } from '../../helpers/fake-srs';

describe('SRS as a program', () => {
  let programs: FakePrograms;
  beforeEach(() => (programs = new FakePrograms()));
  afterEach(() => programs.remove());

  const driver = (binary: string, leash: readonly string[] = []): BinaryDriver =>
    new BinaryDriver({ binary, environment: environmentFrom(process.env), leash });
  const fake = (behaviour?: FakeSrsBehaviour): BinaryDriver => driver(programs.srs(behaviour));

  it('says its release', async () => {
    expect(await fake({ version: '6.0.157' }).version()).toEqual({ major: 6, minor: 0, revision: 157 });
  });

  it('is refused where it does not exist, is no file, or may not be run', async () => {
    const file = path.join(programs.directory, 'not-for-running');
    writeFileSync(file, 'text');
    chmodSync(file, 0o644);
    const directory = path.join(programs.directory, 'directory');
    mkdirSync(directory);
    await expect(driver('/no/such/srs').version()).rejects.toMatchObject({
      exitCode: 69,
      message: 'SRS_BINARY /no/such/srs does not exist',
    });
    await expect(driver(directory).version()).rejects.toThrow(/is not a file$/);
    await expect(driver(file).version()).rejects.toThrow(/is not executable: chmod \+x it, or name another$/);
  });

  it.each(['Usage: srs [--debug] address', '', '1.2'])(
    'is refused where it is another srs, that says %j',
    async (saysVersion) => {
      await expect(fake({ saysVersion }).version()).rejects.toMatchObject({
        exitCode: 69,
        message: expect.stringMatching(
          /is not SRS, the media server: .*Debian’s package srs is another program/,
        ),
      });
    },
  );

  it('says so where it says nothing at all', async () => {
    await expect(driver('/bin/true').version()).rejects.toThrow(
      'SRS_BINARY /bin/true is not SRS, the media server: to -v it says "" ',
    );
  });

  it('reads its configuration', async () => {
    const file = path.join(programs.directory, 'srs.conf');
    expect(await fake().refusal(file)).toBeUndefined();
    expect(await fake({ refuses: 'illegal directive lisen' }).refusal(file)).toBe('illegal directive lisen');
  });

  it('is run on the leash', () => {
    expect(driver('/srs', ['setpriv', '--']).command('/data/srs.conf')).toMatchObject({
      program: 'setpriv',
      args: ['--', '/srs', '-c', '/data/srs.conf'],
    });
    expect(driver('/srs').command('/data/srs.conf')).toMatchObject({
      program: '/srs',
      args: ['-c', '/data/srs.conf'],
    });
  });
});
