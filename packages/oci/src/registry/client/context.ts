import { BoxwrightError, escapeForTerminal, isBoxwrightError } from '@boxwright/errors';
import { isDigest } from '../../names/digest.ts';
import { isTag } from '../../names/reference.ts';
import type { Scope } from '../auth/authenticator.ts';
import { type RepositoryName, repositoryKey } from '../repository-name.ts';
import type { Registries } from '../session/registries.ts';
import { HashCheckpoints } from './hash-checkpoints.ts';

/** What the calls of one repository share. */
export interface RepositoryContext {
  readonly name: RepositoryName;
  readonly registries: Registries;
  readonly checkpoints: HashCheckpoints;
  /** False once bytes were wrong: whoever sent them, only the registry itself is asked from then on. */
  trustsMirrors: boolean;
  /** The change of each fallback list that was begun last: they must not overtake each other. */
  readonly listChanges: Map<string, Promise<void>>;
  /** Whether the registry has the referrers API, once that is known. */
  hasReferrersApi: boolean | undefined;
}

/** A context that knows nothing yet. */
export function newContext(registries: Registries, name: RepositoryName): RepositoryContext {
  return {
    name,
    registries,
    checkpoints: new HashCheckpoints(),
    listChanges: new Map(),
    trustsMirrors: true,
    hasReferrersApi: undefined,
  };
}

/** Reading: asks no more than it needs (threats R8). */
export function pullScope(name: RepositoryName): readonly Scope[] {
  return [{ repository: name, actions: ['pull'] }];
}

/** Writing, which reads as well. */
export function pushScope(name: RepositoryName): readonly Scope[] {
  return [{ repository: name, actions: ['pull', 'push'] }];
}

/** Deleting, which registries with token services list as an action of its own. */
export function deleteScope(name: RepositoryName): readonly Scope[] {
  return [{ repository: name, actions: ['pull', 'push', 'delete'] }];
}

/** `/v2/NAME/REST`. The name was checked when the reference was read. */
export function repositoryPath({ path }: RepositoryName, rest: string): string {
  return `/v2/${path}/${rest}`;
}

/**
 * The path of a manifest.
 *
 * @throws BoxwrightError REFERENCE_INVALID: nothing else than a tag or digest may become part of a URL
 */
export function manifestPath(name: RepositoryName, reference: string): string {
  if (isTag(reference) || isDigest(reference)) return repositoryPath(name, `manifests/${reference}`);
  throw new BoxwrightError(
    'REFERENCE_INVALID',
    `"${escapeForTerminal(reference.slice(0, 160))}" is neither a tag nor a digest`,
    { hint: 'A tag has up to 128 letters, digits, dots, underscores and hyphens; a digest is sha256: and 64 digits.' },
  );
}

/** `manifest 1.2 of registry/path`, for messages. */
export function placeOf(name: RepositoryName, what: string): string {
  return escapeForTerminal(`${what} of ${name.path === '' ? name.registry : repositoryKey(name)}`);
}

/** An answer that makes no sense. */
export function invalidAnswer(name: RepositoryName, what: string, why: string, cause?: unknown): BoxwrightError {
  return new BoxwrightError('REGISTRY_ANSWER_INVALID', `${placeOf(name, what)}: ${escapeForTerminal(why)}`, {
    hint: 'Is this the address of a registry? A proxy or login page in between answers like that, too.',
    cause,
    details: { registry: name.registry, repository: name.path },
  });
}

/** Adds the place to an error about bytes, documents or a lost connection, which do not know what was asked for. */
export function withPlace(name: RepositoryName, what: string, error: unknown): unknown {
  if (!isBoxwrightError(error) || 'registry' in error.details) return error;
  return new BoxwrightError(error.code, `${placeOf(name, what)}: ${error.message}`, {
    hint: error.hint,
    cause: error,
    details: { ...error.details, registry: name.registry, repository: name.path, what },
  });
}
