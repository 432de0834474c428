// Jest runs the compiled files as they are, in plain Node: no transform, no realm of its own. One project for each tier of
// scripts/tests/tiers.mjs, which starts it.
const tier = (name, folders, ending) => ({
  displayName: name,
  roots: folders.map((folder) => `<rootDir>/${folder}`),
  testMatch: [`**/*${ending}`],
  runner: 'jest-light-runner/child-process',
  transform: {},
  setupFilesAfterEnv: ['<rootDir>/scripts/tests/jest-setup.mjs', '<rootDir>/dist/test/support/global-expect.js'],
});

export default {
  testSequencer: './scripts/tests/sequencer.mjs',
  watchman: false,
  projects: [
    tier('unit', ['dist/server/src', 'dist/console/src'], '.spec.js'),
    ...['integration', 'contract', 'durability', 'e2e', 'browser'].map((name) => tier(name, [`dist/test/${name}`], '.test.js')),
    // Tests that must fail; see scripts/tests/runner.mjs.
    { ...tier('runner', ['scripts/tests/runner'], '.mjs'), moduleFileExtensions: ['js', 'mjs'] },
  ],
};
