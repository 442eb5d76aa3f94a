/** Two projects: `unit` (mirrors src/, plus the repo's own rules) and `e2e` (the real daemon, run in one worker). */
const shared = {
  testEnvironment: 'node',
  transform: {
    '^.+\\.ts$': [
      '@swc/jest',
      { jsc: { target: 'es2022', parser: { syntax: 'typescript' } }, module: { type: 'commonjs' } },
    ],
  },
};

module.exports = {
  projects: [
    { ...shared, displayName: 'unit', roots: ['<rootDir>/tests'], testPathIgnorePatterns: ['/tests/e2e/'] },
    { ...shared, displayName: 'e2e', roots: ['<rootDir>/tests/e2e'] },
  ],
};
