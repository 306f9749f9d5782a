import { BoxwrightError, escapeForTerminal } from '@boxwright/errors';

/**
 * Prefect's `parse_image_tag`: an image name without its tag or digest, and that tag or digest. A digest beats a tag,
 * which then stays in the name. The port of a registry is no tag, but `localhost:5000` alone reads as a tag. Only the last
 * part of a name can have one; nothing else is checked: `parseReference` of `@boxwright/oci` does that.
 *
 * @throws BoxwrightError REFERENCE_INVALID for more than one `@`, or more than one tag
 */
export function parseImageTag(name: string): readonly [image: string, tag: string | undefined] {
  const byDigest = name.split('@');
  if (byDigest.length > 2) throw invalid(name, 'it has more than one digest');
  const [image = '', digest] = byDigest;
  if (digest !== undefined) return [image, digest];
  const slash = name.lastIndexOf('/');
  const [last = '', tag, ...more] = name.slice(slash + 1).split(':');
  if (more.length > 0) throw invalid(name, 'it has more than one tag');
  return [name.slice(0, slash + 1) + last, tag];
}

/**
 * Prefect's `split_repository_path`: namespace (registry and organisation) and repository. At most two parts make the
 * namespace: `registry.example.com/team/a/b` is `registry.example.com/team` and `a/b`. A tag stays where it is.
 */
export function splitRepositoryPath(path: string): readonly [namespace: string | undefined, repository: string] {
  const [first = '', second, ...rest] = path.split('/');
  if (second === undefined) return [undefined, first];
  return rest.length === 0 ? [first, second] : [`${first}/${second}`, rest.join('/')];
}

function invalid(name: string, why: string): BoxwrightError {
  return new BoxwrightError('REFERENCE_INVALID', `"${escapeForTerminal(name)}" is not an image name: ${why}`, {
    hint: 'Write NAME:TAG or NAME@DIGEST.',
    details: { name },
  });
}
