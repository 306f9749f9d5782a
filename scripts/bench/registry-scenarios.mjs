/**
 * One thing that is measured against registries on loopback.
 *
 * @typedef {object} RegistryScenario
 * @property {string} name
 * @property {number} target highest ratio of our median to the fastest peer's that is good enough
 * @property {number} rounds
 * @property {(bench: RegistryBench, round: number) => Promise<void>} [beforeRound] what is not timed
 * @property {(bench: RegistryBench) => void} [beforeCommand] so that none finds what another one brought
 * @property {(bench: RegistryBench, round: number) => readonly (readonly [peer: string, command: readonly string[]])[]} commands
 *   ours first; a peer that is not installed is left out by the caller
 */

/**
 * @typedef {object} RegistryBench
 * @property {string} source host:port of a registry that holds big:1
 * @property {string} target host:port of a registry to copy to
 * @property {() => void} emptyTarget
 * @property {(round: number) => Promise<void>} freshLayer puts bench/fresh:ROUND, one layer of 1 GiB, into our store and Docker's
 */

/** @type {readonly RegistryScenario[]} */
export const registryScenarios = [
  {
    name: 'copy 1 GiB in 10 layers, registry to registry',
    target: 1,
    rounds: 3,
    beforeCommand: (bench) => bench.emptyTarget(),
    commands: ({ source, target }) => [
      ['boxwright', ['boxwright', 'copy', `docker://${source}/big:1`, `docker://${target}/big:1`]],
      ['crane', ['crane', 'copy', '--insecure', `${source}/big:1`, `${target}/big:1`]],
      [
        'skopeo',
        [
          ...['skopeo', 'copy', '--quiet', '--src-tls-verify=false', '--dest-tls-verify=false'],
          ...[`docker://${source}/big:1`, `docker://${target}/big:1`],
        ],
      ],
    ],
  },
  {
    name: 'the same copy again, nothing to do',
    target: 1.5,
    rounds: 9,
    commands: ({ source, target }) => [
      ['boxwright', ['boxwright', 'copy', `docker://${source}/big:1`, `docker://${target}/big:1`]],
      ['crane', ['crane', 'copy', '--insecure', `${source}/big:1`, `${target}/big:1`]],
      [
        'skopeo',
        [
          ...['skopeo', 'copy', '--quiet', '--src-tls-verify=false', '--dest-tls-verify=false'],
          ...[`docker://${source}/big:1`, `docker://${target}/big:1`],
        ],
      ],
    ],
  },
  {
    name: 'remote inspect',
    target: 2,
    rounds: 9,
    commands: ({ source }) => [
      ['boxwright', ['boxwright', 'inspect', `docker://${source}/big:1`]],
      ['crane', ['crane', 'config', '--insecure', `${source}/big:1`]],
      ['skopeo', ['skopeo', 'inspect', '--no-tags', '--tls-verify=false', `docker://${source}/big:1`]],
    ],
  },
  {
    name: 'push of a fresh 1 GiB layer, compressed on the way',
    target: 0.6,
    rounds: 2,
    beforeRound: (bench, round) => bench.freshLayer(round),
    commands: ({ target }, round) => [
      ['boxwright', ['boxwright', 'push', `${target}/fresh:${round}`]],
      ['docker', ['docker', 'push', '--quiet', `${target}/fresh:${round}`]],
    ],
  },
];
