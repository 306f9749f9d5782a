import { createHash, createPrivateKey, randomUUID, sign } from 'node:crypto';
import type { Reply, TestRequest } from './test-server.ts';

/** Users and their passwords. */
export type Users = Readonly<Record<string, string>>;

/** A repository and what may be done with it. */
export interface Grant {
  readonly type: string;
  readonly name: string;
  readonly actions: readonly string[];
}

/** How a token service behaves. */
export interface TokenServiceOptions {
  readonly users: Users;
  /** Who is not logged in may pull. Default false. */
  readonly anonymousPull?: boolean;
  /** Default 300. */
  readonly lifeSeconds?: number;
  /** Actions that a user gets; default: all that are asked for. */
  readonly allow?: (user: string | undefined, repository: string, action: string) => boolean;
  /** Names of the answer's fields; default `both` (token and access_token). */
  readonly field?: 'token' | 'access_token' | 'both';
  /** False: POST is answered with 405 or 404, as services without OAuth do. Default true. */
  readonly oauth?: boolean;
  /** Signs tokens so that other registries accept them: see `docker-registry`'s `rootcertbundle`. */
  readonly signing?: { readonly key: string; readonly cert: string; readonly issuer: string };
}

/** One token that was given out. */
export interface GivenToken {
  readonly token: string;
  readonly user: string | undefined;
  readonly grants: readonly Grant[];
  readonly expires: number;
}

/** Answers token requests (GET with Basic credentials, POST as OAuth 2) and knows what it gave out. */
export class TokenService {
  readonly #options: TokenServiceOptions;
  /** Tokens that are valid, expired ones included. */
  readonly given: Map<string, GivenToken> = new Map();
  /** Refresh tokens (Docker's identity tokens) and their users. */
  readonly refreshTokens: Map<string, string> = new Map();

  constructor(options: TokenServiceOptions) {
    this.#options = options;
  }

  /** No token that was given out is valid any longer. */
  expireAll(): void {
    this.given.clear();
  }

  /** A refresh token for a user, as if given out by an earlier login. */
  makeRefreshToken(user: string): string {
    const token = `refresh-${randomUUID()}`;
    this.refreshTokens.set(token, user);
    return token;
  }

  /** The valid token of an Authorization header. */
  find(header: string | undefined): GivenToken | undefined {
    const token = /^Bearer (.+)$/i.exec(header ?? '')?.[1];
    const given = token === undefined ? undefined : this.given.get(token);
    return given !== undefined && given.expires > Date.now() ? given : undefined;
  }

  async handle(request: TestRequest): Promise<Reply> {
    if (request.method === 'GET') {
      const header = request.headers.authorization;
      const user = userOf(header, this.#options.users);
      if (header !== undefined && user === undefined) return refused(401, 'incorrect username or password');
      const { searchParams } = request.url;
      const scopes = searchParams.getAll('scope').flatMap((scope) => scope.split(' '));
      return this.#give(user, scopes, searchParams.get('service') ?? '', searchParams.get('offline_token') === 'true');
    }
    if (request.method === 'POST' && this.#options.oauth !== false) return this.#oauth(request);
    return refused(405, 'method not allowed');
  }

  async #oauth(request: TestRequest): Promise<Reply> {
    const pieces: Buffer[] = [];
    for await (const piece of request.body) pieces.push(piece);
    const form = new URLSearchParams(Buffer.concat(pieces).toString());
    const scopes = (form.get('scope') ?? '').split(' ').filter((scope) => scope !== '');
    const service = form.get('service') ?? '';
    if (form.get('grant_type') === 'refresh_token') {
      const user = this.refreshTokens.get(form.get('refresh_token') ?? '');
      return user === undefined ? refused(401, 'unknown refresh token') : this.#give(user, scopes, service, false);
    }
    const user = form.get('username') ?? '';
    if (this.#options.users[user] !== form.get('password')) return refused(401, 'incorrect username or password');
    return this.#give(user, scopes, service, form.get('access_type') === 'offline');
  }

  #give(user: string | undefined, scopes: readonly string[], service: string, offline: boolean): Reply {
    const { lifeSeconds = 300, field = 'both' } = this.#options;
    const grants = scopes.flatMap((scope) => this.#granted(user, scope));
    const token = this.#token(user, grants, service, lifeSeconds);
    this.given.set(token, { token, user, grants, expires: Date.now() + lifeSeconds * 1000 });
    return json(200, {
      ...(field === 'access_token' ? {} : { token }),
      ...(field === 'token' ? {} : { access_token: token }),
      expires_in: lifeSeconds,
      issued_at: new Date().toISOString(),
      ...(offline && user !== undefined ? { refresh_token: this.makeRefreshToken(user) } : {}),
    });
  }

  #granted(user: string | undefined, scope: string): Grant[] {
    const parts = /^(\w+(?:\([^)]*\))?):(.+):([^:]*)$/.exec(scope);
    if (parts === null) return [];
    const [, type = '', name = '', actions = ''] = parts;
    const { anonymousPull = false, allow = () => true } = this.#options;
    const allowed = actions.split(',').filter((action) => {
      if (user === undefined && !(anonymousPull && action === 'pull')) return false;
      return allow(user, name, action);
    });
    return [{ type, name, actions: allowed }];
  }

  /** An opaque one, or a JWT as the distribution project's token specification describes it. */
  #token(user: string | undefined, grants: readonly Grant[], service: string, lifeSeconds: number): string {
    const { signing } = this.#options;
    if (signing === undefined) return `opaque-${randomUUID()}`;
    const now = Math.floor(Date.now() / 1000);
    const chain = [...signing.cert.matchAll(/-----BEGIN CERTIFICATE-----([^-]*)-----END/g)];
    const header = { typ: 'JWT', alg: 'ES256', x5c: chain.map(([, body = '']) => body.replaceAll(/\s/g, '')) };
    const claims = {
      iss: signing.issuer,
      sub: user ?? '',
      aud: service,
      exp: now + lifeSeconds,
      nbf: now - 10,
      iat: now,
      jti: randomUUID(),
      access: grants,
    };
    const text = [header, claims].map((part) => Buffer.from(JSON.stringify(part)).toString('base64url')).join('.');
    const key = { key: createPrivateKey(signing.key), dsaEncoding: 'ieee-p1363' } as const;
    return `${text}.${sign('sha256', Buffer.from(text), key).toString('base64url')}`;
  }
}

/** The user whose name and password a Basic header holds. */
export function userOf(header: string | undefined, users: Users): string | undefined {
  const encoded = /^Basic (.+)$/i.exec(header ?? '')?.[1];
  if (encoded === undefined) return undefined;
  const text = Buffer.from(encoded, 'base64').toString();
  const colon = text.indexOf(':');
  const user = text.slice(0, colon);
  return colon > 0 && Object.hasOwn(users, user) && users[user] === text.slice(colon + 1) ? user : undefined;
}

/** A JSON answer. */
export function json(status: number, value: unknown, headers: Readonly<Record<string, string>> = {}): Reply {
  return {
    status,
    headers: { 'content-type': 'application/json', ...headers },
    body: Buffer.from(JSON.stringify(value)),
  };
}

function refused(status: number, details: string): Reply {
  return json(status, { details });
}

/** A short name for a header in request logs, which must not hold secrets. */
export function credentialName(header: string | undefined): string | undefined {
  if (header === undefined) return undefined;
  const [scheme = '', value = ''] = header.split(' ');
  return `${scheme} ${createHash('sha256').update(value).digest('hex').slice(0, 8)}`;
}
