import { openFilesLimit } from '../../src/base/open-files';

describe('the limit of descriptors', () => {
  it('is the one that the kernel has for this process', () => {
    const limit = openFilesLimit();
    if (process.platform === 'linux') expect(Number.isInteger(limit) && limit > 64).toBe(true);
    else expect(limit).toBe(Infinity);
  });
});
