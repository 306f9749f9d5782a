import { resolve } from 'node:path';
import { BoxwrightError } from '@boxwright/errors';
import { type PrefectServer, prefectServerFrom } from '../prefect-api/server.ts';
import { type Environment, environmentSource } from './environment-source.ts';
import { variablesKeyFrom } from './key-from-environment.ts';
import { prefectSource } from './prefect-source.ts';
import type { VariableSource } from './variable-source.ts';
import { readVariablesFile, variablesFileName } from './variables-file.ts';

/** Which sources there are. */
export interface LoadSourcesOptions {
  /** Of the project file: `boxwright.variables.yaml` is looked for here. */
  readonly directory: string;
  readonly env: Environment;
  /** Another file of variables; then it must be there. Default: `BOXWRIGHT_VARIABLES_FILE`. Relative to the process's directory. */
  readonly file?: string | undefined;
  /** Default: what `PREFECT_API_URL` says. */
  readonly server?: PrefectServer | undefined;
}

/**
 * The sources of variables and blocks, in the order in which they are asked: the environment, the file of variables, a Prefect server.
 *
 * @throws BoxwrightError `VARIABLES_NOT_FOUND` for a file that was named and is not there; what `readVariablesFile` throws.
 */
export async function loadSources(options: LoadSourcesOptions): Promise<VariableSource[]> {
  const { directory, env } = options;
  const sources = [environmentSource(env)];
  const named = options.file ?? (env['BOXWRIGHT_VARIABLES_FILE'] || undefined);
  const path = named === undefined ? resolve(directory, variablesFileName) : resolve(named);
  const file = await readVariablesFile(path, (kind) => variablesKeyFrom(env, kind));
  if (file) sources.push(file);
  else if (named !== undefined) {
    throw new BoxwrightError('VARIABLES_NOT_FOUND', `there is no file of variables ${path}`);
  }
  const server = options.server ?? prefectServerFrom(env);
  if (server) sources.push(prefectSource(server));
  return sources;
}
