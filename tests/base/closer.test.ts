import { Closer, once } from '../../src/base/closer';

describe('a closer', () => {
  it('closes in reverse order, awaiting each part', async () => {
    const closed: string[] = [];
    const closer = new Closer();
    for (const name of ['first', 'second', 'third']) {
      closer.add(name, async () => {
        await Promise.resolve();
        closed.push(name);
      });
    }
    await closer.close();
    expect(closed).toEqual(['third', 'second', 'first']);
  });

  it('closes once, however often it is asked', async () => {
    let times = 0;
    const closer = new Closer();
    closer.add('part', () => void (times += 1));
    await Promise.all([closer.close(), closer.close()]);
    await closer.close();
    expect(times).toBe(1);
  });

  it('closes the others when one part fails, then throws the first failure', async () => {
    const closed: string[] = [];
    const names: string[] = [];
    const closer = new Closer((name) => names.push(name));
    closer.add('good', () => void closed.push('good'));
    closer.add('bad', () => Promise.reject(new Error('stuck')));
    closer.add('worse', () => {
      throw new Error('broken');
    });
    await expect(closer.close()).rejects.toThrow('broken');
    expect(closed).toEqual(['good']);
    expect(names).toEqual(['worse', 'bad', 'good']);
  });
});

describe('once', () => {
  it('gives every caller the same promise', () => {
    const close = once(() => Promise.resolve());
    expect(close()).toBe(close());
  });
});
