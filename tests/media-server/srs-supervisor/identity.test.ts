import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import pino from 'pino';
import { Identity } from '../../../src/media-server/srs-supervisor/identity';
import type { Presence } from '../../../src/media-server/srs-supervisor/presence';

const found = (more: Partial<Presence> = {}): Presence => ({
  pid: 10,
  service: 's1',
  server: 'vid-1',
  version: { major: 7, minor: 0, revision: 18 },
  ...more,
});

describe('the SRS that answers', () => {
  let directory: string;
  let lines: string[];
  beforeEach(() => {
    directory = mkdtempSync(path.join(os.tmpdir(), 'identity-'));
    lines = [];
  });
  afterEach(() => rmSync(directory, { recursive: true }));

  const identity = (sharesPids: boolean): Identity =>
    new Identity({
      sharesPids,
      directory,
      logger: pino({ level: 'error' }, { write: (line) => lines.push(line) }),
    });

  it('is ours where it has our process id', () => {
    expect(identity(true).isOurs(found(), 10)).toBe(true);
    expect(lines).toEqual([]);
  });

  it('is a stranger where it has another, and each stranger is named once', () => {
    const own = identity(true);
    expect(own.isOurs(found({ pid: 11 }), 10)).toBe(false);
    expect(own.isOurs(found(), 10)).toBe(true);
    expect(own.isOurs(found({ pid: 11 }), 10)).toBe(false);
    expect(lines.map((line) => JSON.parse(line) as object)).toEqual([
      expect.objectContaining({
        strangerPid: 11,
        ownPid: 10,
        msg: expect.stringMatching(/another SRS shares our ports/),
      }),
    ]);
    own.isOurs(found({ pid: 12, service: 's2' }), 10);
    expect(lines).toHaveLength(2);
  });

  it('is ours in a container where it has the server id that lies in our directory', () => {
    const own = identity(false);
    expect(own.isOurs(found({ pid: 1 }), 10)).toBe(false);
    writeFileSync(path.join(directory, 'srs.id'), 'vid-1\n');
    expect(own.isOurs(found({ pid: 1 }), 10)).toBe(true);
    expect(own.isOurs(found({ pid: 1, server: 'vid-2', service: 's2' }), 10)).toBe(false);
  });
});
