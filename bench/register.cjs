/*
 * Lets Node run the TypeScript of bench/ and of what it shares with the tests as it stands: `node -r ./bench/register.cjs
 * bench/main.ts`. Types are checked by `npm run types`, as everywhere. The relay under test is the built one, in dist/.
 */
const { transformFileSync } = require('@swc/core');

const OPTIONS = {
  jsc: { target: 'es2022', parser: { syntax: 'typescript' } },
  module: { type: 'commonjs' },
  sourceMaps: false,
};

require.extensions['.ts'] = (module, file) => module._compile(transformFileSync(file, OPTIONS).code, file);
