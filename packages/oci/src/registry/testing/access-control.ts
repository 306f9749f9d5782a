import type { Reply, TestRequest } from './test-server.ts';
import { type Grant, json, type TokenService, type TokenServiceOptions, type Users, userOf } from './token-service.ts';

/** Who may do what. */
export type TestAuth =
  | { readonly kind: 'none' }
  | { readonly kind: 'basic'; readonly users: Users }
  | (TokenServiceOptions & {
      readonly kind: 'token';
      /** The realm that challenges name; default: `/token` of this server. */
      readonly realm?: string;
      readonly service?: string;
      /** True: no token is ever accepted. */
      readonly refuseAll?: boolean;
    });

/** Undefined when the request may go on, else the answer that refuses it. */
export function checkAccess(
  auth: TestAuth,
  tokens: TokenService | undefined,
  request: TestRequest,
  base: string,
  needs: readonly Grant[],
): Reply | undefined {
  if (auth.kind === 'none') return undefined;
  if (auth.kind === 'basic') {
    if (userOf(request.headers.authorization, auth.users) !== undefined) return undefined;
    return unauthorized('Basic realm="test registry"');
  }
  const given = auth.refuseAll === true ? undefined : tokens?.find(request.headers.authorization);
  const missing = needs.filter(
    ({ name, actions }) => !actions.every((action) => hasGrant(given?.grants, name, action)),
  );
  if (given !== undefined && missing.length === 0) return undefined;
  const scope = needs.map(({ type, name, actions }) => `${type}:${name}:${actions.join(',')}`).join(' ');
  const parts = [
    `Bearer realm="${auth.realm ?? `${base}/token`}"`,
    `service="${auth.service ?? 'test-registry'}"`,
    ...(scope === '' ? [] : [`scope="${scope}"`]),
    ...(given === undefined ? [] : ['error="insufficient_scope"']),
  ];
  return unauthorized(parts.join(','));
}

function hasGrant(grants: readonly Grant[] | undefined, name: string, action: string): boolean {
  return grants?.some((grant) => grant.name === name && grant.actions.includes(action)) ?? false;
}

function unauthorized(challenge: string): Reply {
  return json(
    401,
    { errors: [{ code: 'UNAUTHORIZED', message: 'authentication required', detail: null }] },
    { 'www-authenticate': challenge },
  );
}
