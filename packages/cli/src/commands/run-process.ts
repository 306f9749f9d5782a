import { isAbsolute } from 'node:path';
import { BoxwrightError, UsageError } from '@boxwright/errors';
import type { ContainerConfig } from '@boxwright/oci';

/** What Linux images get as PATH when nothing sets one. */
const defaultPath = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/**
 * The command that runs: entrypoint, then the arguments given or else the image's command. Another entrypoint also
 * takes the image's command away, as with docker.
 * @throws BoxwrightError `NO_COMMAND`
 */
export function commandLine(
  config: Pick<ContainerConfig, 'Entrypoint' | 'Cmd'>,
  entrypoint: string | undefined,
  args: readonly string[],
): readonly string[] {
  const program = entrypoint === undefined ? config.Entrypoint : entrypoint === '' ? [] : [entrypoint];
  const rest = args.length > 0 || entrypoint !== undefined ? args : config.Cmd;
  const line = [...program, ...rest];
  if (line.length > 0) return line;
  throw new BoxwrightError('NO_COMMAND', 'the image has neither entrypoint nor command', {
    hint: 'Give a command: boxwright run IMAGE COMMAND…',
  });
}

/** The image's environment, then what was given on the command line; a later value of a name replaces an earlier one. */
export function processEnvironment(
  config: Pick<ContainerConfig, 'Env'>,
  given: readonly string[],
  tty: boolean,
): readonly string[] {
  const variables = new Map<string, string>([['PATH', `PATH=${defaultPath}`]]);
  if (tty) variables.set('TERM', 'TERM=xterm');
  for (const line of [...config.Env, ...given]) variables.set(line.split('=', 1)[0] ?? line, line);
  return [...variables.values()];
}

/** @throws UsageError for a relative path */
export function workingDirectory(config: Pick<ContainerConfig, 'WorkingDir'>, given: string | undefined): string {
  if (given === undefined) return config.WorkingDir === '' ? '/' : config.WorkingDir;
  if (!isAbsolute(given)) throw new UsageError(`--workdir ${given}: must be an absolute path`);
  return given;
}
