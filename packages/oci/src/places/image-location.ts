import { BoxwrightError, closestMatch, escapeForTerminal } from '@boxwright/errors';
import { type Digest, isDigest } from '../names/digest.ts';

/** Where an image is, as skopeo's transports name places (containers-transports(5)). */
export type ImageLocation =
  /** A bare reference or id: the local store. */
  | { readonly transport: 'store'; readonly reference: string }
  /** `oci:DIR[:TAG]`, `oci-archive:FILE[:TAG]`; also `@DIGEST` in place of the tag. */
  | {
      readonly transport: 'oci' | 'oci-archive';
      readonly path: string;
      readonly name?: string;
      readonly digest?: Digest;
    }
  /** `docker-archive:FILE[:REF]`. */
  | { readonly transport: 'docker-archive'; readonly path: string; readonly name?: string }
  /** `docker://REF`: a registry. */
  | { readonly transport: 'docker'; readonly reference: string }
  /** `docker-daemon:REF`: a Docker Engine. */
  | { readonly transport: 'docker-daemon'; readonly reference: string };

const knownTransports = ['oci', 'oci-archive', 'docker-archive', 'docker-daemon', 'docker'] as const;

/**
 * Reads what a command line takes for the source or destination of an image. As in skopeo, the path ends at the first
 * colon, so that names after it may hold colons themselves.
 *
 * @throws BoxwrightError LOCATION_INVALID
 */
export function parseImageLocation(text: string): ImageLocation {
  const colon = text.indexOf(':');
  const scheme = colon < 0 ? '' : text.slice(0, colon);
  const rest = text.slice(colon + 1);
  switch (scheme) {
    case 'docker':
      if (!rest.startsWith('//')) break;
      return { transport: 'docker', reference: required(rest.slice(2), text, 'an image name') };
    case 'docker-daemon':
      return { transport: 'docker-daemon', reference: required(rest, text, 'an image name') };
    case 'oci':
    case 'oci-archive': {
      const { path, name, digest } = splitPath(rest, text);
      return {
        transport: scheme,
        path,
        ...(name === undefined ? {} : { name }),
        ...(digest === undefined ? {} : { digest }),
      };
    }
    case 'docker-archive': {
      const { path, name } = splitPath(rest, text);
      return { transport: scheme, path, ...(name === undefined ? {} : { name }) };
    }
    default:
      if (rest.startsWith('//')) throw unknownTransport(text, scheme);
  }
  return { transport: 'store', reference: required(text, text, 'an image name') };
}

function splitPath(rest: string, text: string): { path: string; name?: string; digest?: Digest } {
  const at = rest.lastIndexOf('@');
  const digest = at < 0 ? '' : rest.slice(at + 1);
  if (isDigest(digest)) {
    // Both `DIR@sha256:...` and `DIR:@sha256:...` are found in the wild.
    return { path: required(rest.slice(0, at).replace(/:$/, ''), text, 'a path'), digest };
  }
  const colon = rest.indexOf(':');
  const path = required(colon < 0 ? rest : rest.slice(0, colon), text, 'a path');
  const name = colon < 0 ? '' : rest.slice(colon + 1);
  return name === '' ? { path } : { path, name };
}

function required(value: string, text: string, what: string): string {
  if (value !== '' && !value.includes('\0')) return value;
  throw new BoxwrightError('LOCATION_INVALID', `"${escapeForTerminal(text)}" lacks ${what}`, {
    hint: 'write for example oci:DIR:TAG, docker-archive:FILE or an image name',
  });
}

function unknownTransport(text: string, scheme: string): BoxwrightError {
  const suggestion = closestMatch(scheme, knownTransports);
  return new BoxwrightError(
    'LOCATION_INVALID',
    `"${escapeForTerminal(text)}": there is no transport "${escapeForTerminal(scheme)}"`,
    {
      hint: suggestion === undefined ? `known are ${knownTransports.join(', ')}` : `did you mean ${suggestion}:?`,
    },
  );
}
