/** Which package may import which: the rooms of docs/architecture.md. Imports point downwards only. */
const mayImport = {
  errors: [],
  sys: ['errors'],
  oci: ['errors', 'sys'],
  dockerfile: ['errors'],
  build: ['errors', 'sys', 'oci', 'dockerfile'],
  inspect: ['errors', 'oci', 'dockerfile'],
  deploy: ['errors', 'oci', 'dockerfile', 'build'],
  cli: ['errors', 'oci', 'dockerfile', 'build', 'inspect', 'deploy'],
};

/** The registry, faults and certificates that all tests may use. */
const TESTING = '^packages/oci/src/registry/testing/';

/** Files of tests: these may use @boxwright/testing. */
const TESTS = '\\.test\\.ts$|/testing/';

const downwards = Object.entries(mayImport).map(([name, allowed]) => ({
  name: `${name}-imports-downwards`,
  comment: `packages/${name} may import ${allowed.length > 0 ? allowed.join(', ') : 'no other package of ours'}`,
  severity: 'error',
  from: { path: `^packages/${name}/` },
  to: { path: '^packages/', pathNot: `^packages/(${[name, ...allowed, 'testing'].join('|')})/` },
}));

/** @type {import('dependency-cruiser').IConfiguration} */
export default {
  forbidden: [
    ...downwards,
    {
      name: 'only-through-index',
      comment: 'a package is used through its index.ts: everything else may change without notice',
      severity: 'error',
      from: { path: '^packages/([^/]+)/' },
      to: { path: '^packages/', pathNot: ['^packages/$1/', '^packages/[^/]+/src/index\\.ts$', TESTING] },
    },
    {
      name: 'e2e-uses-the-command',
      comment: 'end-to-end tests run the built command; sharing code with it would share its faults',
      severity: 'error',
      from: { path: '^e2e/', pathNot: '-api\\.test\\.ts$' },
      to: { path: '^packages/', pathNot: TESTING },
    },
    {
      name: 'e2e-uses-the-api',
      comment: 'end-to-end tests of the library see what its users see',
      severity: 'error',
      from: { path: '^e2e/.*-api\\.test\\.ts$' },
      to: { path: '^packages/', pathNot: ['^packages/[^/]+/src/index\\.ts$', TESTING] },
    },
    {
      name: 'test-registry-is-apart',
      comment: 'the registry for tests shares no code with the product, so that it shares none of its faults',
      severity: 'error',
      from: { path: TESTING, pathNot: '\\.test\\.ts$' },
      to: { path: '^packages/', pathNot: TESTING },
    },
    {
      name: 'testing-is-for-tests',
      comment: 'packages/testing is neither built nor published',
      severity: 'error',
      from: { path: '^packages/', pathNot: [TESTS, '^packages/testing/'] },
      to: { path: '^packages/testing/' },
    },
    { name: 'no-cycles', severity: 'error', from: {}, to: { circular: true } },
    { name: 'no-unresolvable', severity: 'error', from: {}, to: { couldNotResolve: true } },
    {
      name: 'no-dev-dependency-in-sources',
      severity: 'error',
      from: { path: '^packages/[^/]+/src/', pathNot: TESTS },
      to: { dependencyTypes: ['npm-dev', 'npm-no-pkg', 'npm-unknown'] },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '(^|/)(dist|corpus)/' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.check.json' },
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['source', 'import', 'node', 'default'] },
  },
};
