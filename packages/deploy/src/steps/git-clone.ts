import { rmSync, statSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { BoxwrightError, escapeForTerminal } from '@boxwright/errors';
import { coreModules } from './core-modules.ts';
import { type GitCredentials, gitEnvironment, readGitCredentials } from './git-credentials.ts';
import { runProcess } from './run-process.ts';
import { pathInStep, type StepContext } from './step-context.ts';
import { defineStep, type StepDefinition } from './step-definition.ts';
import type { ProgressRow } from './step-progress.ts';

/** What {@link gitClone} is told: Prefect's `git_clone`. */
export interface GitCloneOptions {
  readonly repository: string;
  readonly branch?: string | undefined;
  readonly commitSha?: string | undefined;
  readonly includeSubmodules?: boolean | undefined;
  /** Either this or credentials. */
  readonly accessToken?: string | undefined;
  readonly credentials?: GitCredentials | undefined;
  /** Only these directories of the repository are checked out. */
  readonly directories?: readonly string[] | undefined;
  /** Default: the repository's name, with the branch or commit after it. */
  readonly cloneDirectoryName?: string | undefined;
}

/** What {@link gitClone} gives. */
export interface GitCloneResult {
  /** Relative to the directory of the steps, as Prefect gives it. */
  readonly directory: string;
}

const tries = 3;
const firstWaitMs = 1000;
const longestWaitMs = 10_000;

/**
 * Clones a repository below the directory of the steps; one that is there already is brought up to date. Three tries.
 * Secrets go to git in its environment: neither its command line nor the clone's configuration holds them.
 *
 * @throws BoxwrightError STEP_INPUT_INVALID, COMMAND_FAILED, COMMAND_NOT_FOUND
 */
export async function gitClone(options: GitCloneOptions, context: StepContext): Promise<GitCloneResult> {
  check(options);
  const { repository, accessToken, credentials } = options;
  context.redactor.add(accessToken);
  const directory = options.cloneDirectoryName ?? defaultName(options);
  const path = pathInStep(context, directory);
  const env = gitEnvironment(context, repository, accessToken === undefined ? credentials : { token: accessToken });
  const clone: Clone = { options, context, env, path };
  try {
    await context.progress.during(`git clone ${withoutUser(repository)}`, (row) => withRetries(clone, row));
  } finally {
    context.cache.filesMayHaveChanged();
  }
  return { directory };
}

interface Clone {
  readonly options: GitCloneOptions;
  readonly context: StepContext;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly path: string;
}

async function withRetries(clone: Clone, row: ProgressRow): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    const wasThere = statSync(clone.path, { throwIfNoEntry: false }) !== undefined;
    try {
      if (wasThere) await update(clone, row);
      else await fresh(clone, row);
      return;
    } catch (error) {
      // What is left of a clone that failed would pass for a clone.
      if (!wasThere) rmSync(clone.path, { recursive: true, force: true });
      if (attempt === tries || !(error instanceof BoxwrightError) || error.code !== 'COMMAND_FAILED') throw error;
      const wait = Math.min(firstWaitMs * 2 ** (attempt - 1), longestWaitMs);
      row.line(`${error.message}; trying again in ${wait / 1000}s`, 2);
      await sleep(wait, undefined, { signal: clone.context.signal });
    }
  }
}

async function fresh(clone: Clone, row: ProgressRow): Promise<void> {
  const { options, context, path } = clone;
  const { repository, branch, commitSha, includeSubmodules = false, directories } = options;
  const args = ['clone'];
  if (branch !== undefined) args.push('--branch', branch);
  if (commitSha !== undefined) args.push('--filter=blob:none', '--no-checkout');
  else args.push('--depth', '1');
  if (includeSubmodules) args.push('--recurse-submodules');
  if (directories !== undefined) args.push('--sparse');
  await git(clone, row, [...args, '--', repository, path], context.directory.path);
  if (directories !== undefined) await git(clone, row, ['sparse-checkout', 'set', '--', ...directories]);
  if (commitSha !== undefined) await checkOut(clone, row, commitSha);
}

async function update(clone: Clone, row: ProgressRow): Promise<void> {
  const { options, path } = clone;
  const { stdout } = await git(clone, row, ['config', '--get', 'remote.origin.url'], path, false);
  if (withoutUser(stdout.trim()) !== withoutUser(options.repository)) {
    throw new BoxwrightError(
      'STEP_INPUT_INVALID',
      `${escapeForTerminal(path)} is not a clone of ${escapeForTerminal(withoutUser(options.repository))}`,
      { hint: 'Remove it, or give another clone_directory_name.', details: { path } },
    );
  }
  if (options.commitSha !== undefined) return await checkOut(clone, row, options.commitSha);
  const branch = options.branch === undefined ? [] : [options.branch];
  await git(clone, row, ['fetch', '--depth', '1', 'origin', ...branch]);
  await git(clone, row, ['reset', '--hard', 'FETCH_HEAD']);
  if (options.includeSubmodules === true) await git(clone, row, ['submodule', 'update', '--init', '--recursive']);
}

async function checkOut(clone: Clone, row: ProgressRow, commit: string): Promise<void> {
  await git(clone, row, ['fetch', 'origin', commit]);
  await git(clone, row, ['checkout', '--detach', commit]);
  if (clone.options.includeSubmodules === true) await git(clone, row, ['submodule', 'update', '--init', '--recursive']);
}

async function git(
  { context, env, path }: Clone,
  row: ProgressRow,
  args: readonly string[],
  directory: string = path,
  shown = true,
): Promise<{ readonly stdout: string }> {
  const onLine = shown ? (line: string, stream: 1 | 2): void => row.line(line, stream) : undefined;
  const result = await runProcess({ command: 'git', args, directory, env, signal: context.signal, onLine });
  if (result.code === 0) return result;
  const why = context.redactor.redact(result.stderr.trim().split('\n').slice(-5).join('\n'));
  throw new BoxwrightError('COMMAND_FAILED', `git ${args[0] ?? ''} failed with error code ${result.code}: ${why}`, {
    hint: 'Check the address, the branch and the credentials.',
    details: { exitCode: result.code },
  });
}

/** What git could take for options, or what says two things at once. */
function check(options: GitCloneOptions): void {
  const { repository, branch, commitSha, accessToken, credentials, cloneDirectoryName, directories = [] } = options;
  if (accessToken !== undefined && credentials !== undefined) {
    throw invalid('access_token', 'Please provide either an access token or credentials but not both.');
  }
  if (branch !== undefined && commitSha !== undefined) {
    throw invalid('commit_sha', 'Cannot provide both a branch and a commit SHA. Please provide only one.');
  }
  if (branch?.startsWith('-')) throw invalid('branch', 'a branch cannot begin with a hyphen');
  if (commitSha !== undefined && !/^[0-9a-f]{4,64}$/i.test(commitSha)) {
    throw invalid('commit_sha', 'a commit is 4 to 64 hexadecimal digits');
  }
  if (repository === '' || repository.startsWith('-'))
    throw invalid('repository', 'this is no address of a repository');
  // `ext::` and the like run commands.
  if (/^[a-z0-9+.-]+::/i.test(repository)) throw invalid('repository', 'remote helpers (name::address) are not used');
  const name = cloneDirectoryName ?? '';
  if (name.split(/[/\\]/).includes('..') || name.startsWith('-')) {
    throw invalid('clone_directory_name', 'the clone has to be below the directory of the steps');
  }
  if (directories.some((directory) => directory.startsWith('-'))) {
    throw invalid('directories', 'a directory cannot begin with a hyphen');
  }
}

function invalid(input: string, why: string): BoxwrightError {
  return new BoxwrightError('STEP_INPUT_INVALID', `git_clone: ${input}: ${why}`, {
    hint: 'Mend the inputs of the step.',
    details: { step: 'git_clone', input },
  });
}

/** Prefect's name of a clone: `repo`, `repo-branch`, `repo-commit`. */
function defaultName({ repository, branch, commitSha }: GitCloneOptions): string {
  const last = repository.replace(/\/+$/, '').split(/[/:]/).pop() ?? '';
  const name = last.replace(/\.git$/, '') || 'repository';
  const suffix = branch ?? commitSha;
  return suffix === undefined ? name : `${name}-${suffix.replaceAll('/', '-')}`;
}

/** An address without user and password. */
function withoutUser(repository: string): string {
  return repository.replace(/^([a-z+]+:\/\/)[^/@]*@/i, '$1').replace(/(?:\.git)?\/*$/, '');
}

/** The step. */
export const gitCloneStep: StepDefinition = defineStep({
  name: 'git_clone',
  modules: coreModules('pull'),
  inputs: [
    'repository',
    'branch',
    'commit_sha',
    'include_submodules',
    'access_token',
    'credentials',
    'directories',
    'clone_directory_name',
  ],
  results: ['directory'],
  changesFiles: true,
  read(inputs) {
    const credentials = inputs.mapping('credentials');
    const options: GitCloneOptions = {
      repository: inputs.requiredText('repository'),
      branch: inputs.text('branch'),
      commitSha: inputs.text('commit_sha'),
      includeSubmodules: inputs.boolean('include_submodules'),
      accessToken: inputs.text('access_token'),
      credentials: credentials === undefined ? undefined : readGitCredentials(credentials),
      directories: inputs.texts('directories'),
      cloneDirectoryName: inputs.text('clone_directory_name'),
    };
    check(options);
    return options;
  },
  run: gitClone,
});
