import type { HttpTransport } from '../transport/http.ts';
import type { Scope } from './authenticator.ts';
import type { BearerToken } from './bearer-token.ts';
import type { FoundCredential } from './credential.ts';
import { coversScopes, mergeScopes } from './scopes.ts';
import type { Secret } from './secret.ts';
import { SharedFlights } from './shared-flights.ts';
import { askForToken } from './token-service.ts';

/** Which token is wanted, and how to get it. */
export interface TokenWish {
  readonly origin: string;
  readonly registry: string;
  /** What it must allow. */
  readonly scopes: readonly Scope[];
  /** What the token service is asked for: the same and what the challenge added. */
  readonly texts: readonly string[];
  readonly realm: URL;
  readonly service: string | undefined;
  readonly found: FoundCredential | undefined;
  readonly signal: AbortSignal | undefined;
}

interface HeldToken extends BearerToken {
  readonly header: string;
  readonly scopes: readonly Scope[];
  readonly texts: readonly string[];
  /** When the token service was asked for it, on the clock of `performance`. */
  readonly askedAt: number;
  /** When a request last got it, on the same clock. */
  handedAt: number;
  /** How many tokens before it were refused, one in place of the other, since a request last began with one of them. */
  refusals: number;
}

/**
 * So many tokens may be refused, each in place of the one before (threats R8). Two and not one: of requests that run beside
 * each other some get a token that another has just fetched, and that may be as dead as the one it stands for.
 */
const MAX_REFUSALS = 2;

/** More tokens of one registry than a run can need; the oldest go first. */
const MAX_TOKENS = 1000;

/** Tokens of a run by the origin they may be sent to, each fetched once however many requests wait for it. */
export class TokenCache {
  private readonly held = new Map<string, HeldToken[]>();
  /** Headers that were refused, for the others who sent the same. */
  private readonly refused = new Map<string, Pick<HeldToken, 'refusals' | 'handedAt'>>();
  private readonly refreshTokens = new Map<string, Secret>();
  private readonly flights = new SharedFlights<HeldToken>();
  private readonly transport: HttpTransport;

  constructor(transport: HttpTransport) {
    this.transport = transport;
  }

  /** The header of a token that covers the scopes and has a fifth of its life left. */
  find(origin: string, registry: string, scopes: readonly Scope[]): string | undefined {
    const now = performance.now();
    return begin(this.covering(origin, registry, scopes).find(({ refreshAt }) => now < refreshAt));
  }

  /** A token before the first request or in place of one that grows old; the old one does as long as it lives. */
  async renew(wish: TokenWish): Promise<string> {
    const old = this.covering(wish.origin, wish.registry, wish.scopes)[0];
    try {
      return begin(await this.fetch({ ...wish, texts: old?.texts ?? wish.texts }, 0));
    } catch (error) {
      wish.signal?.throwIfAborted();
      if (old !== undefined && performance.now() < old.expiresAt) return begin(old);
      throw error;
    }
  }

  /**
   * A token other than the one that was refused: what another request has fetched since that one was handed out, else a
   * new one; what is older has probably ended with it. Undefined when too many in a row were refused: another would fare
   * no better. A request that begins with a token makes it one like any other, so that what expires again and again in a
   * long run is replaced again and again.
   */
  async replace(wish: TokenWish, refused: string | undefined): Promise<string | undefined> {
    const all = this.tokensOf(wish.origin, wish.registry);
    const index = all.findIndex(({ header }) => header === refused);
    const [bad] = index < 0 ? [] : all.splice(index, 1);
    if (bad !== undefined && this.refused.size < MAX_TOKENS) this.refused.set(bad.header, bad);
    const before = bad ?? this.refused.get(refused ?? '');
    const refusals = refused === undefined ? 0 : (before?.refusals ?? 0) + 1;
    if (refusals > MAX_REFUSALS) return undefined;
    const now = performance.now();
    const other = this.covering(wish.origin, wish.registry, wish.scopes).find(
      (token) =>
        now < token.refreshAt &&
        (before === undefined || token.askedAt > before.handedAt) &&
        wish.texts.every((text) => token.texts.includes(text)),
    );
    return hand(other ?? (await this.fetch(wish, refusals)));
  }

  private async fetch(wish: TokenWish, refusals: number): Promise<HeldToken> {
    const { origin, registry, realm, service, texts } = wish;
    const key = JSON.stringify([origin, registry, realm.href, service, texts, refusals]);
    return this.flights.run(key, (signal) => this.fly({ ...wish, signal }, refusals), wish.signal);
  }

  private async fly(wish: TokenWish, refusals: number): Promise<HeldToken> {
    const { origin, registry, realm, service, texts, signal } = wish;
    const grant = `${registry} ${realm.href} ${wish.found?.origin ?? ''}`;
    const found = withRefreshToken(wish.found, this.refreshTokens.get(grant));
    const askedAt = performance.now();
    const token = await askForToken(this.transport, { realm, origin, service, scopes: texts, found, registry, signal });
    if (token.refreshToken !== undefined && found?.credential.kind === 'identity-token') {
      // Services may give each refresh token out for one use: the next exchange needs the new one.
      this.refreshTokens.set(grant, token.refreshToken);
    }
    const header = `Bearer ${token.token.reveal()}`;
    const held: HeldToken = {
      ...token,
      header,
      scopes: mergeScopes(wish.scopes),
      texts,
      askedAt,
      handedAt: askedAt,
      refusals,
    };
    const all = this.tokensOf(origin, registry);
    const now = performance.now();
    const alive = all.filter((other) => other.expiresAt > now && !isSame(other.scopes, held.scopes));
    all.splice(0, all.length, held, ...alive.slice(0, MAX_TOKENS - 1));
    return held;
  }

  /** The one that is for the least goes first: what was asked for on top may not have been granted. */
  private covering(origin: string, registry: string, scopes: readonly Scope[]): HeldToken[] {
    return this.tokensOf(origin, registry)
      .filter((token) => coversScopes(token.scopes, scopes))
      .sort((a, b) => sizeOf(a.scopes) - sizeOf(b.scopes));
  }

  private tokensOf(origin: string, registry: string): HeldToken[] {
    const key = `${origin} ${registry}`;
    const known = this.held.get(key);
    if (known !== undefined) return known;
    const none: HeldToken[] = [];
    this.held.set(key, none);
    return none;
  }
}

function isSame(a: readonly Scope[], b: readonly Scope[]): boolean {
  return coversScopes(a, b) && coversScopes(b, a);
}

function sizeOf(scopes: readonly Scope[]): number {
  return scopes.reduce((sum, { actions }) => sum + actions.length, 0);
}

/** For a new request, which may be refused and answered once. */
function begin(token: HeldToken): string;
function begin(token: HeldToken | undefined): string | undefined;
function begin(token: HeldToken | undefined): string | undefined {
  if (token === undefined) return undefined;
  token.refusals = 0;
  return hand(token);
}

function hand(token: HeldToken): string {
  token.handedAt = performance.now();
  return token.header;
}

function withRefreshToken(found: FoundCredential | undefined, newer: Secret | undefined): FoundCredential | undefined {
  if (found?.credential.kind !== 'identity-token' || newer === undefined) return found;
  return { ...found, credential: { kind: 'identity-token', identityToken: newer } };
}
