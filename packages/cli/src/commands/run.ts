import { mkdirSync, rmSync } from 'node:fs';
import {
  imageFiles,
  type NetworkMode,
  runInSandbox,
  type SandboxMount,
  useThisThreadForSandboxes,
} from '@boxwright/build';
import { UsageError } from '@boxwright/errors';
import { digestHex } from '@boxwright/oci';
import { type Command, Option } from 'commander';
import type { CommandContext } from '../command-context.ts';
import { collect, newCommand, refuseFlag } from '../commander.ts';
import { parseExtraHost } from '../options/extra-host.ts';
import { parseEnvironment } from '../options/key-values.ts';
import { parsePlatformFlag } from '../options/platform.ts';
import { parseVolume } from '../options/volume.ts';
import { addPullFlags, openPulledImage, type PulledImageFlags } from '../pulled-image.ts';
import { runInUserNamespace } from '../user-namespace.ts';
import { commandLine, processEnvironment, workingDirectory } from './run-process.ts';
import { passSignalsOn } from './run-signals.ts';

/** What `boxwright run` was given. */
export interface RunFlags extends PulledImageFlags {
  readonly env: readonly string[];
  readonly workdir?: string;
  readonly user?: string;
  readonly volume: readonly string[];
  readonly network: NetworkMode;
  readonly addHost: readonly string[];
  readonly entrypoint?: string;
  readonly interactive: boolean;
  readonly tty: boolean;
  readonly platform?: string;
}

const examples = [
  'boxwright run app',
  'boxwright run -it app sh',
  'boxwright run -v ./src:/src:ro -w /src -e CI app make test',
  'boxwright run --network none --entrypoint /bin/cat app /etc/os-release',
];

/** `boxwright run`. */
export function runCommand(context: CommandContext): Command {
  const command = newCommand(
    'run',
    'Runs one command in an image. What it writes is thrown away afterwards. Signals go to the command, which then has 10 s to end; a second one kills it.',
    context,
    examples,
  )
    .argument('<image>', 'name or id of an image in the local store, or a name in a registry')
    .argument('[command...]', "the command with its arguments (default: the image's)")
    .passThroughOptions()
    .option('-e, --env <key=value>', 'environment variable; without =VALUE taken from the environment', collect, [])
    .option('-w, --workdir <dir>', "working directory (default: the image's)")
    .option('-u, --user <name[:group]>', "user to run as (default: the image's)")
    .option('-v, --volume <host:target[:ro]>', 'show a file or directory of this machine', collect, [])
    .addOption(new Option('--network <mode>', 'network').choices(['default', 'host', 'none']).default('default'))
    .option('--add-host <host:address>', 'further line for /etc/hosts', collect, [])
    .option('--entrypoint <program>', "program to run in place of the image's entrypoint and command")
    .option('-i, --interactive', 'pass standard input on', false)
    .option('-t, --tty', 'give the command this terminal', false)
    .option('--platform <os/arch>', 'which image of several platforms (default: this machine)')
    .option('--rm', 'accepted for docker: nothing is ever kept', false);
  addPullFlags(command).action((image: string, args: readonly string[], flags: RunFlags) =>
    run(image, args, flags, context),
  );
  const noContainers = 'There are no containers: the command runs, and nothing of it stays.';
  for (const flags of ['-d, --detach', '--name <name>', '--restart <policy>']) refuseFlag(command, flags, noContainers);
  refuseFlag(command, '-p, --publish <ports>', "The command uses this machine's network: its ports are there.");
  refuseFlag(command, '--mount <mount>', 'Use -v HOST:TARGET[:ro].');
  refuseFlag(command, '--privileged', 'Commands run with the privileges of a RUN step only.');
  return command;
}

async function run(name: string, args: readonly string[], flags: RunFlags, context: CommandContext): Promise<void> {
  const stdio = flags.tty ? 'tty' : flags.interactive ? 'inherit' : 'pipe';
  if (flags.tty && !(context.stdin.isTTY && context.stdout.isTTY === true)) {
    throw new UsageError('--tty needs a terminal as standard input and output', { hint: 'Leave out -t.' });
  }
  const mounts = flags.volume.map((text): SandboxMount => ({ kind: 'bind', ...parseVolume(text, context.cwd) }));
  const extraHosts = flags.addHost.map(parseExtraHost);
  if (await runInUserNamespace(context)) return;
  const platform = flags.platform === undefined ? undefined : parsePlatformFlag(flags.platform);
  using found = await openPulledImage(name, platform, flags, context);
  const { store, descriptor } = found;
  const image = store.image(descriptor, platform);
  const { config } = image.config();
  const files = await imageFiles(store, image, context.signal);
  const [upperDir, workDir] = [store.temporaryPath('run-upper'), store.temporaryPath('run-work')];
  for (const directory of [upperDir, workDir]) mkdirSync(directory, { recursive: true, mode: 0o755 });
  try {
    if (context.ownsProcess) useThisThreadForSandboxes();
    using signals = passSignalsOn(context);
    const result = await runInSandbox({
      lowerDirs: files.directories,
      upperDir,
      workDir,
      args: commandLine(config, flags.entrypoint, args),
      env: processEnvironment(config, parseEnvironment(flags.env, context.env), flags.tty),
      cwd: workingDirectory(config, flags.workdir),
      user: await files.user(flags.user ?? config.User),
      mounts,
      network: flags.network,
      extraHosts,
      hostname: digestHex(image.manifest().config.digest).slice(0, 12),
      stdio,
      onOutput: (stream, chunk) => void (stream === 1 ? context.stdout : context.stderr).write(chunk),
      signal: signals.signal,
      onStart: signals.onStart,
    });
    context.setExitCode(result.exitCode);
  } finally {
    for (const directory of [upperDir, workDir]) rmSync(directory, { recursive: true, force: true });
  }
}
