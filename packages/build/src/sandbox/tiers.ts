import { BoxwrightError, isBoxwrightError } from '@boxwright/errors';
import { type CommandStart, type StartedCommand, startNative } from './native.ts';
import { describeRuntime, runtimeNames } from './oci/runtimes.ts';
import { startRuntime } from './oci/start-runtime.ts';
import { findProgram } from './programs.ts';

/** A way to run a command: `native`, or the path of an OCI runtime. */
export type Tier = string;

/** Errors that say nothing about the command: another way may work. */
const tierErrors: ReadonlySet<string> = new Set(['SANDBOX_FAILED', 'SANDBOX_RUNTIME_FAILED', 'SANDBOX_UNAVAILABLE']);

/** True when a tier failed, not the command. */
export function isTierError(error: unknown): boolean {
  return isBoxwrightError(error) && tierErrors.has(error.code);
}

/**
 * The tiers to try, in order. Without a wish our own comes first: it isolates as an OCI runtime does (one test suite holds
 * for all), starts in a fifth of runc's time, and has no version to be behind with; a runtime takes over where ours cannot
 * work (a root file system that cannot be pivoted). `wish` is BOXWRIGHT_RUNTIME: `native` (or `unshare`),
 * the name of a runtime, or its absolute path; then there is no second try.
 *
 * @throws BoxwrightError `SANDBOX_UNAVAILABLE` when the one that was wished for is not installed
 */
export function* tiersFor(wish: string | undefined): Generator<Tier> {
  if (wish === 'native' || wish === 'unshare') yield 'native';
  else if (wish !== undefined && wish !== '') {
    const path = findProgram(wish);
    if (path === undefined) {
      throw new BoxwrightError('SANDBOX_UNAVAILABLE', `BOXWRIGHT_RUNTIME names ${wish}, which is not installed`, {
        hint: 'Install it, name another one by its absolute path, or unset BOXWRIGHT_RUNTIME.',
      });
    }
    yield path;
  } else {
    yield 'native';
    yield* installedRuntimes();
  }
}

/** Paths of the runtimes that are installed. */
export function installedRuntimes(): readonly string[] {
  return runtimeNames.flatMap((name) => findProgram(name) ?? []);
}

/** Starts a command in one tier. */
export function startIn(tier: Tier, start: CommandStart): StartedCommand {
  return tier === 'native' ? startNative(start) : startRuntime(start, describeRuntime(tier));
}
