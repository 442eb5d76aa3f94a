import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { findProgram } from '../../src/cli/which';

describe('finding a program', () => {
  const directory = mkdtempSync(path.join(os.tmpdir(), 'vibesflow-which-'));
  const program = path.join(directory, 'tool');
  writeFileSync(program, '#!/bin/sh\n');
  afterAll(() => rmSync(directory, { recursive: true }));

  it('passes over what cannot be run', () => {
    chmodSync(program, 0o644);
    expect(findProgram('no-such-tool', directory)).toBeUndefined();
  });

  it('goes through the search path in order', () => {
    chmodSync(program, 0o755);
    expect(findProgram('tool', `/nowhere::${directory}`)).toBe(program);
    expect(findProgram('tool', '')).toBeUndefined();
  });

  it('takes a path as it is', () => {
    expect(findProgram(program, '')).toBe(program);
    expect(findProgram(path.join(directory, 'none'), directory)).toBeUndefined();
  });
});
