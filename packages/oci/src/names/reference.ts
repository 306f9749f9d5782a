import { BoxwrightError, escapeForTerminal } from '@boxwright/errors';
import { type Digest, isDigest, parseDigest } from './digest.ts';

/** A normalised image name: `domain/path[:tag][@digest]`, the domain never left out. */
export interface Reference {
  /** Registry host, with a port if there was one: `docker.io`, `localhost:5000`, `[fd00::1]:5000`. */
  readonly domain: string;
  /** Repository inside the registry: `library/alpine`. */
  readonly path: string;
  readonly tag?: string;
  readonly digest?: Digest;
}

const DEFAULT_DOMAIN = 'docker.io';
const LEGACY_DEFAULT_DOMAIN = 'index.docker.io';
const OFFICIAL_NAMESPACE = 'library/';
const DEFAULT_TAG = 'latest';

/** Longest repository path: the grammar of distribution/reference. */
const MAX_PATH = 255;
/** No lawful reference is near this long; bounds the work on hostile text. */
const MAX_TEXT = 2048;

const hostPattern =
  /^(?:[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?(?:\.[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?)*|\[[a-fA-F0-9:]+\])(?::[0-9]+)?$/;
const componentPattern = /^[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*$/;
const tagPattern = /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$/;
const identifierPattern = /^[a-f0-9]{64}$/;

/**
 * Reads an image name as `docker pull` does: the grammar of distribution/reference with its "familiar" names, so that
 * `alpine` is `docker.io/library/alpine`. The tag is left out when the text has none: see {@link withDefaultTag}.
 *
 * @throws BoxwrightError `REFERENCE_INVALID`
 */
export function parseReference(text: string): Reference {
  if (text === '') throw invalid(text, 'it is empty', 'Name an image, for example alpine:3.20.');
  if (text.length > MAX_TEXT) throw invalid(text, `it has more than ${MAX_TEXT} characters`);
  if (identifierPattern.test(text)) {
    throw invalid(
      text,
      '64 hexadecimal digits are read as an image ID, not as a name',
      `Write sha256:${text} for the ID.`,
    );
  }
  const [domain, remainder] = splitDomain(text);

  const at = remainder.indexOf('@');
  const named = at < 0 ? remainder : remainder.slice(0, at);
  const colon = named.indexOf(':');
  const path = colon < 0 ? named : named.slice(0, colon);
  const tag = colon < 0 ? undefined : named.slice(colon + 1);

  checkPath(text, path, remainder.length - path.length);
  if (!hostPattern.test(domain)) throw invalid(text, `"${domain}" is not a registry host`, hostHint(text));
  if (tag !== undefined && !tagPattern.test(tag)) throw invalid(text, tagProblem(tag), tagHint(tag));
  return {
    domain,
    path,
    ...(tag === undefined ? {} : { tag }),
    ...(at < 0 ? {} : { digest: parseDigestPart(text, remainder.slice(at + 1)) }),
  };
}

/**
 * Reads what a command line takes for an image in the local store: a digest (`sha256:...`) or 64 bare hexadecimal digits
 * is an image ID, everything else a name as in {@link parseReference}.
 *
 * @throws BoxwrightError `REFERENCE_INVALID`
 */
export function parseReferenceOrId(text: string): Reference | Digest {
  if (isDigest(text)) return text;
  return identifierPattern.test(text) ? parseDigest(`sha256:${text}`) : parseReference(text);
}

/** True for text that may stand after the colon: distribution-spec "Pulling manifests". */
export function isTag(text: string): boolean {
  return tagPattern.test(text);
}

/** The first component is a host when it cannot be (part of) a repository on Docker Hub: a dot, a colon, upper case, localhost. */
function splitDomain(text: string): [domain: string, remainder: string] {
  const slash = text.indexOf('/');
  if (slash < 0) return [DEFAULT_DOMAIN, OFFICIAL_NAMESPACE + text];
  const first = text.slice(0, slash);
  const rest = text.slice(slash + 1);
  const isHost = first === 'localhost' || /[.:]/.test(first) || first.toLowerCase() !== first;
  if (!isHost) return [DEFAULT_DOMAIN, text];
  const domain = first === LEGACY_DEFAULT_DOMAIN ? DEFAULT_DOMAIN : first;
  return [domain, domain === DEFAULT_DOMAIN && !rest.includes('/') ? OFFICIAL_NAMESPACE + rest : rest];
}

/** `after` is how many characters follow the path in the text. */
function checkPath(text: string, path: string, after: number): void {
  if (text.includes('://')) {
    throw invalid(text, 'it is a URL', `Leave out the scheme: ${text.slice(text.indexOf('://') + 3)}`);
  }
  if (path.toLowerCase() !== path) {
    const end = text.length - after;
    const lowered = text.slice(0, end).toLowerCase() + text.slice(end);
    throw invalid(text, 'the repository name must be lower case', `Write ${lowered}.`);
  }
  if (path.length > MAX_PATH) throw invalid(text, `the repository name has more than ${MAX_PATH} characters`);
  for (const component of path.split('/')) {
    if (componentPattern.test(component)) continue;
    if (component === '') throw invalid(text, 'a part of the repository name is empty');
    throw invalid(
      text,
      `"${component}" cannot be part of a repository name`,
      'Use lower-case letters and digits, separated by one dot, one or two underscores, or hyphens.',
    );
  }
}

function parseDigestPart(text: string, digest: string): Digest {
  try {
    return parseDigest(digest);
  } catch (error) {
    const hint = error instanceof BoxwrightError ? error.hint : undefined;
    throw invalid(text, `"${digest}" is not a digest`, hint, error);
  }
}

function tagProblem(tag: string): string {
  if (tag === '') return 'there is no tag after the colon';
  return tag.length > 128 ? 'the tag has more than 128 characters' : `"${tag}" is not a tag`;
}

function tagHint(tag: string): string {
  if (tag.includes('/')) return 'Only the first part of a name, the registry host, may have a port.';
  return 'A tag has up to 128 letters, digits, dots, underscores and hyphens, and does not start with a dot or hyphen.';
}

function hostHint(text: string): string | undefined {
  if (/^\[?[0-9a-fA-F:]*:[0-9a-fA-F:]*:/.test(text)) return 'Put an IPv6 address in brackets: [fd00::1]:5000/name.';
  return 'A registry is a host name or address, with an optional port: example.com:5000/name.';
}

function invalid(text: string, why: string, hint?: string, cause?: unknown): BoxwrightError {
  const short = (value: string) => escapeForTerminal(value.length > 300 ? `${value.slice(0, 300)}...` : value);
  return new BoxwrightError('REFERENCE_INVALID', `invalid image name "${short(text)}": ${short(why)}`, {
    hint: hint === undefined ? undefined : short(hint),
    cause,
    details: { reference: text },
  });
}

/** `domain/path`, without tag and digest. */
export function repositoryName(reference: Reference): string {
  return `${reference.domain}/${reference.path}`;
}

/** The full form, `docker.io/library/alpine:3.20@sha256:...`: what the store keeps tags under. */
export function canonicalName(reference: Reference): string {
  return repositoryName(reference) + suffix(reference);
}

/**
 * The form that Docker shows: `docker.io/` and `library/` are dropped where {@link parseReference} puts them back.
 * (Docker drops them also where it does not, as in `docker.io/localhost/x`.)
 */
export function familiarName(reference: Reference): string {
  return familiarRepository(reference) + suffix(reference);
}

function familiarRepository(reference: Reference): string {
  const full = repositoryName(reference);
  if (reference.domain !== DEFAULT_DOMAIN) return full;
  const short = reference.path.startsWith(OFFICIAL_NAMESPACE)
    ? reference.path.slice(OFFICIAL_NAMESPACE.length)
    : undefined;
  const familiar = short !== undefined && !short.includes('/') ? short : reference.path;
  if (identifierPattern.test(familiar)) return full;
  const [domain, path] = splitDomain(familiar);
  return domain === reference.domain && path === reference.path ? familiar : full;
}

function suffix({ tag, digest }: Reference): string {
  return (tag === undefined ? '' : `:${tag}`) + (digest === undefined ? '' : `@${digest}`);
}

/** Adds the tag `latest` to a name that has neither tag nor digest. */
export function withDefaultTag(reference: Reference): Reference {
  return reference.tag === undefined && reference.digest === undefined ? { ...reference, tag: DEFAULT_TAG } : reference;
}

/**
 * The same repository with this tag and no digest.
 *
 * @throws BoxwrightError `REFERENCE_INVALID` when it is not a tag
 */
export function withTag({ domain, path }: Reference, tag: string): Reference {
  if (!isTag(tag)) throw invalid(`${domain}/${path}:${tag}`, tagProblem(tag), tagHint(tag));
  return { domain, path, tag };
}

/** The same repository with this digest and no tag. */
export function withDigest({ domain, path }: Reference, digest: Digest): Reference {
  return { domain, path, digest };
}
