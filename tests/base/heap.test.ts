import { spawnSync } from 'node:child_process';
import path from 'node:path';

const REGISTER = path.resolve(__dirname, '../../bench/register.cjs');
const HEAP = path.resolve(__dirname, '../../src/base/heap.ts');

describe('collecting seldom', () => {
  it('asks this V8 for nothing that it does not know', () => {
    // V8 complains about a flag on its standard error, and throws nothing.
    const program = `require(${JSON.stringify(HEAP)}).collectSeldom();`;
    const { stdout, stderr, status } = spawnSync(process.execPath, ['-r', REGISTER, '-e', program], {
      encoding: 'utf8',
    });
    expect({ stdout, stderr, status }).toEqual({ stdout: '', stderr: '', status: 0 });
  });
});
