import { statSync } from 'node:fs';
import { resolve } from 'node:path';
import type { NamedContext } from '@boxwright/build';
import { UsageError } from '@boxwright/errors';
import { parseDigest } from '@boxwright/oci';

/**
 * `--build-context NAME=VALUE`: a directory, `oci-layout://DIR[:TAG|@DIGEST]` or `docker-image://REF`.
 * @throws UsageError for a missing directory and for places that are not supported (git, https, target:).
 */
export function parseBuildContext(text: string, cwd: string): readonly [name: string, context: NamedContext] {
  const equals = text.indexOf('=');
  const name = text.slice(0, Math.max(0, equals));
  const value = text.slice(equals + 1);
  if (name === '' || value === '') throw new UsageError(`--build-context ${text}: must be NAME=PLACE`);
  return [name, contextOf(value, text, cwd)];
}

function contextOf(value: string, text: string, cwd: string): NamedContext {
  const scheme = /^([a-z][a-z0-9-]*):(?:\/\/)?/.exec(value);
  switch (scheme?.[1] ?? '') {
    case 'oci-layout':
      return ociLayout(value.slice(scheme?.[0].length), text, cwd);
    case 'docker-image':
      return { kind: 'image', reference: value.slice(scheme?.[0].length) };
    case 'http':
    case 'https':
    case 'git':
    case 'ssh':
    case 'target':
      throw new UsageError(`--build-context ${text}: '${scheme?.[1]}:' is not supported`, {
        hint: 'Use a directory, oci-layout://DIR[:TAG] or docker-image://NAME.',
      });
    default: {
      const path = resolve(cwd, value);
      if (statSync(path, { throwIfNoEntry: false })?.isDirectory() !== true) {
        throw new UsageError(`--build-context ${text}: ${path} is not a directory`);
      }
      return { kind: 'directory', path };
    }
  }
}

function ociLayout(place: string, text: string, cwd: string): NamedContext {
  const at = place.lastIndexOf('@');
  if (at > 0)
    return { kind: 'oci-layout', path: resolve(cwd, place.slice(0, at)), digest: parseDigest(place.slice(at + 1)) };
  // A colon after the last slash starts the tag.
  const colon = place.indexOf(':', place.lastIndexOf('/') + 1);
  const path = colon === -1 ? place : place.slice(0, colon);
  if (path === '') throw new UsageError(`--build-context ${text}: the layout's directory is missing`);
  return { kind: 'oci-layout', path: resolve(cwd, path), ...(colon === -1 ? {} : { tag: place.slice(colon + 1) }) };
}
