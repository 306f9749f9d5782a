import { BoxwrightError, escapeForTerminal } from '@boxwright/errors';

/** What the address of a registry says. */
export interface RegistryAddress {
  /** Host and port. */
  readonly host: string;
  /** What stands before the names of repositories: the path, unless it is that of the registry's API. */
  readonly namespace: string | undefined;
  /** True for `http://`: the caller has asked for it. */
  readonly plainHttp: boolean;
}

/**
 * Reads the address of a registry: `https://registry.example.com`, `registry.example.com:5000/team`. Other than in Prefect,
 * the scheme may be left out, a path is kept, and a password is refused: it would become part of image names.
 *
 * @throws BoxwrightError REGISTRY_URL_INVALID
 */
export function parseRegistryUrl(text: string): RegistryAddress {
  const hasScheme = /^[a-z][a-z0-9+.-]*:\/\//i.test(text);
  const invalid = (why: string): BoxwrightError =>
    new BoxwrightError('REGISTRY_URL_INVALID', `"${shown(text)}" is not the address of a registry: ${why}`, {
      hint: 'Write it as https://registry.example.com or registry.example.com/team.',
    });
  if (text === '' || /[\s\\]/.test(text)) throw invalid(text === '' ? 'it is empty' : 'it has a blank or a backslash');
  const whole = hasScheme ? text : `https://${text}`;
  const url = URL.canParse(whole) ? new URL(whole) : undefined;
  if (url === undefined) throw invalid('it is no URL');
  if (url.protocol !== 'https:' && url.protocol !== 'http:') throw invalid('only http and https are known');
  if (url.username !== '' || url.password !== '')
    throw invalid('it has a user name or password; give credentials apart');
  if (url.search !== '' || url.hash !== '') throw invalid('it has a query or a fragment');
  const path = url.pathname.replace(/^\/+/, '').replace(/\/$/, '');
  return {
    // URL drops the default port.
    host: url.host,
    namespace: path === '' || path === 'v1' || path === 'v2' ? undefined : path,
    plainHttp: url.protocol === 'http:',
  };
}

/** Without what could be a password. */
function shown(text: string): string {
  return escapeForTerminal(text.replace(/[^/]*@/, '***@'));
}
