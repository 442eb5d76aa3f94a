/**
 * Longer than anything here takes on the slowest machine: a test that runs into it hangs. No statement about speed;
 * what waits within a test gives up before (tests/helpers/patience.ts), and says what it waited for.
 */
const HANGS_AFTER_MS = 90_000;

const TORTURE = '/tests/torture/[^/]+\\.test\\.ts$';
const DOORS = '/tests/doors/';

/**
 * Five projects: `unit` (mirrors src/, plus the repo's own rules), `e2e` (the real daemon, run in one worker),
 * `beside`, end-to-end tests that take long and need no quiet machine, run at the same time as the others, and `torture`, the
 * faults (the files right in tests/torture/; what they are made of has unit tests), and `doors`, what must not be sent.
 */
const shared = {
  testEnvironment: 'node',
  transform: {
    // jose comes as ES modules only, which Node takes by itself and jest does not.
    '(\\.ts|/node_modules/jose/.+\\.js)$': [
      '@swc/jest',
      { jsc: { target: 'es2022', parser: { syntax: 'typescript' } }, module: { type: 'commonjs' } },
    ],
  },
  transformIgnorePatterns: ['/node_modules/(?!jose/)'],
};

module.exports = {
  testTimeout: HANGS_AFTER_MS,
  projects: [
    {
      ...shared,
      displayName: 'unit',
      roots: ['<rootDir>/tests'],
      testPathIgnorePatterns: ['/tests/e2e/', TORTURE, DOORS],
    },
    {
      ...shared,
      displayName: 'e2e',
      roots: ['<rootDir>/tests/e2e'],
      testPathIgnorePatterns: ['-long\\.test\\.ts$'],
    },
    {
      ...shared,
      displayName: 'beside',
      roots: ['<rootDir>/tests/e2e'],
      testMatch: ['**/*-long.test.ts'],
    },
    {
      ...shared,
      displayName: 'torture',
      roots: ['<rootDir>/tests/torture'],
      testMatch: ['<rootDir>/tests/torture/*.test.ts'],
    },
    {
      ...shared,
      displayName: 'doors',
      roots: ['<rootDir>/tests/doors'],
    },
  ],
};
