import type { RepositoryName } from '../repository-name.ts';

/** What may be done with a repository, as token services name it (distribution spec, token scope documentation). */
export interface Scope {
  readonly repository: RepositoryName;
  readonly actions: readonly ('pull' | 'push' | 'delete')[];
}

/** Finds Authorization headers. One for a whole run: it remembers tokens and what each registry asked for. */
export interface Authenticator {
  /**
   * The header to send without being asked: a token that covers the scopes and has at least a fifth of its life left, or
   * Basic credentials that this origin asked for before. Renews a token that is about to expire.
   *
   * @param origin scheme, host and port that the header will go to
   */
  header(origin: string, registry: string, scopes: readonly Scope[], signal?: AbortSignal): Promise<string | undefined>;
  /**
   * The header that a 401 asks for, after having fetched a token where needed.
   *
   * @param challenges values of WWW-Authenticate
   * @param refused the header that was sent with the refused request, so that the same is not sent again
   * @returns undefined when there is nothing (more) to try: the 401 stands
   * @throws BoxwrightError of asking the token service, of credential stores and helpers
   */
  answer(
    origin: string,
    registry: string,
    scopes: readonly Scope[],
    challenges: readonly string[],
    refused: string | undefined,
    signal?: AbortSignal,
  ): Promise<string | undefined>;
  /** Which credentials `registry` (and path) gets and where they come from, in words, without the secret. */
  describe(repository: RepositoryName): Promise<string>;
}
