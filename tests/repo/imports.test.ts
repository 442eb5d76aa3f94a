import { type Import, type Source, readSource, readSources } from '../helpers/sources';

/** The rooms of the house, from the ground up. A room sees those below, and itself. */
const LEVELS: readonly (readonly string[])[] = [
  ['base'],
  ['auth'],
  ['audio', 'encoder', 'media-server'],
  ['vibes'],
  ['http', 'cli'],
  ['app'],
  ['main'],
];

/** Where each package may be imported. What is not listed here may not be imported at all. */
const HOMES: Readonly<Record<string, RegExp>> = {
  '@ffmpeg-installer/ffmpeg': /^encoder\//,
  commander: /^cli\//,
  cors: /^http\//,
  express: /^http\//,
  'express-rate-limit': /^http\/(request-rate|client-address)\.ts$/,
  'fluent-ffmpeg': /^encoder\/command\.ts$/,
  helmet: /^http\//,
  jose: /^auth\//,
  pino: /^base\/logger\.ts$/,
  'prom-client': /^base\/(journal-)?metrics\.ts$/,
  ws: /^(http|cli)\//,
  zod: /^http\//,
  'node:child_process': /^(encoder\/spawn\.ts$|media-server\/|cli\/)/,
  'node:dgram': /^media-server\//,
};

/** Imports that go against the direction, each for a reason. */
const EXCEPTIONS: Readonly<Record<string, string>> = {
  'cli/serve.ts → main': '`vibesflow serve` is the daemon itself',
};

function room(target: string): string {
  return target.split('/')[0]!.replace(/\.ts$/, '');
}

function level(target: string): number {
  return LEVELS.findIndex((rooms) => rooms.includes(room(target)));
}

/** What is wrong with an import, in words; `undefined` where nothing is. */
function fault({ file }: Source, { target, typeOnly, isPackage }: Import): string | undefined {
  if (isPackage || EXCEPTIONS[`${file} → ${target}`]) return undefined;
  const [from, to] = [room(file), room(target)];
  if (from === to) return undefined;
  if (level(file) < 0 || level(target) < 0) return 'a room that is not in the plan';
  if (level(file) < level(target)) return 'upwards';
  // What a format is, and how many bytes a sample has, are words that the neighbours share.
  if (level(file) === level(target) && target !== 'audio/pcm') return 'sideways';
  if (from === 'http' && (to === 'encoder' || to === 'media-server')) return 'past the vibes';
  if (from === 'vibes' && (to === 'encoder' || to === 'media-server') && !typeOnly) return 'more than a type';
  return undefined;
}

function homeFault({ file }: Source, { target, isPackage, typeOnly }: Import): string | undefined {
  if (!isPackage || typeOnly) return undefined;
  const name = target.startsWith('@')
    ? target.split('/').slice(0, 2).join('/')
    : target.replace(/(?<!node:.*)\/.*/, '');
  const home = HOMES[name];
  if (!home) return name.startsWith('node:') ? undefined : 'a package without a home';
  return home.test(file) ? undefined : 'not its home';
}

/** The files on a circle of imports, if there is one. Types count too: a circle is hard to read in any case. */
function circle(sources: readonly Source[]): string[] {
  const byName = new Map(sources.map((source) => [source.file.replace(/\.ts$/, ''), source]));
  const done = new Set<string>();
  const walk = (name: string, path: readonly string[]): string[] => {
    if (path.includes(name)) return [...path.slice(path.indexOf(name)), name];
    if (done.has(name)) return [];
    for (const { target, isPackage, typeOnly } of byName.get(name)?.imports ?? []) {
      const found = isPackage || typeOnly ? [] : walk(target, [...path, name]);
      if (found.length > 0) return found;
    }
    done.add(name);
    return [];
  };
  for (const name of byName.keys()) {
    const found = walk(name, []);
    if (found.length > 0) return found;
  }
  return [];
}

describe('the imports of src/', () => {
  const sources = readSources();
  const faults = (check: typeof fault): string[] =>
    sources.flatMap((source) =>
      source.imports.flatMap((one) => {
        const what = check(source, one);
        return what ? [`${source.file} → ${one.target}: ${what}`] : [];
      }),
    );

  it('go down the house, never up or sideways', () => {
    expect(faults(fault)).toEqual([]);
  });

  it('leave each dependency in its one home', () => {
    expect(faults(homeFault)).toEqual([]);
  });

  it('make no circle', () => {
    expect(circle(sources)).toEqual([]);
  });

  it('come from the file that has the thing: nothing passes on what it imported', () => {
    expect(sources.filter(({ reexports }) => reexports).map(({ file }) => file)).toEqual([]);
    expect(sources.filter(({ file }) => /(^|\/)(index|utils?|helpers?)(\.ts|\/)/.test(file))).toEqual([]);
  });
});

describe('the rules on imports', () => {
  const check = (file: string, text: string): (string | undefined)[] => {
    const source = readSource(file, text);
    return source.imports.map((one) => fault(source, one) ?? homeFault(source, one));
  };

  it.each([
    ['base/a.ts', `import { b } from '../vibes/b';`, 'upwards'],
    ['http/a.ts', `import { b } from '../cli/b';`, 'sideways'],
    ['encoder/a.ts', `import { b } from '../audio/pacer';`, 'sideways'],
    ['http/a.ts', `import type { B } from '../encoder/b';`, 'past the vibes'],
    ['vibes/a.ts', `import { b } from '../encoder/b';`, 'more than a type'],
    ['vibes/a.ts', `import express from 'express';`, 'not its home'],
    ['vibes/a.ts', `const c = require('node:child_process');`, 'not its home'],
    ['http/a.ts', `import leftPad from 'left-pad';`, 'a package without a home'],
    ['extras/a.ts', `import { b } from '../base/b';`, 'a room that is not in the plan'],
  ])('find fault with %s: %s', (file, text, expected) => {
    expect(check(file, text)).toEqual([expected]);
  });

  it.each([
    ['http/a.ts', `import { b } from '../vibes/b';`],
    ['vibes/a.ts', `import type { B } from '../encoder/b';`],
    ['vibes/a.ts', `import { type B, type C } from '../media-server/b';`],
    ['encoder/a.ts', `import type { B } from '../audio/pcm';`],
    ['http/a.ts', `import express from 'express';`],
    ['base/a.ts', `import { readFileSync } from 'node:fs';`],
  ])('find none with %s: %s', (file, text) => {
    expect(check(file, text)).toEqual([undefined]);
  });

  it('see a circle', () => {
    const sources = [
      readSource('base/a.ts', `import { b } from './b';`),
      readSource('base/b.ts', `import { a } from './a';`),
    ];
    expect(circle(sources)).toEqual(['base/a', 'base/b', 'base/a']);
  });
});
