import { BoxwrightError } from '@boxwright/errors';
import type { ByteString } from '../bytes.ts';
import { baseName, displayPath, joinPath, parentPath } from './layer-path.ts';

/** Prefix of a whiteout's name: `.wh.x` hides `x` of the lower layers (OCI image-spec, layer.md, "Whiteouts"). */
export const WHITEOUT_PREFIX: string = '.wh.';
/** An entry of this name hides everything that lower layers have in its directory ("Opaque Whiteout"). */
export const OPAQUE_WHITEOUT: string = '.wh..wh..opq';
/** Names of AUFS' own bookkeeping (`.wh..wh.plnk`, `.wh..wh.aufs`), left in layers by old engines. */
const AUFS_PREFIX = '.wh..wh.';

/** What the name of a layer entry says about lower layers. */
export type Whiteout =
  /** Hides `path` of the lower layers. */
  | { readonly kind: 'remove'; readonly path: ByteString }
  /** Hides what lower layers have below the directory `path`. */
  | { readonly kind: 'opaque'; readonly path: ByteString }
  /** AUFS bookkeeping: to be left out. */
  | { readonly kind: 'ignored' };

/**
 * Reads a whiteout from the path of an entry (as {@link layerPath} gives it); undefined for an ordinary entry.
 *
 * @throws BoxwrightError `LAYER_WHITEOUT_INVALID` when what follows `.wh.` is no name, or the prefix is not in the last
 * component
 */
export function parseWhiteout(path: ByteString): Whiteout | undefined {
  if (!path.includes(WHITEOUT_PREFIX)) return undefined;
  for (const component of parentPath(path).split('/')) {
    if (component.startsWith(AUFS_PREFIX)) return { kind: 'ignored' };
    if (component.startsWith(WHITEOUT_PREFIX)) throw invalid(path, 'lies below a whiteout');
  }
  const name = baseName(path);
  if (!name.startsWith(WHITEOUT_PREFIX)) return undefined;
  if (name === OPAQUE_WHITEOUT) return { kind: 'opaque', path: parentPath(path) };
  if (name.startsWith(AUFS_PREFIX)) return { kind: 'ignored' };
  const hidden = name.slice(WHITEOUT_PREFIX.length);
  if (hidden === '' || hidden === '.' || hidden === '..') throw invalid(path, 'names nothing that could be hidden');
  return { kind: 'remove', path: joinPath(parentPath(path), hidden) };
}

/** The path of the whiteout that hides `path`, which is not the root. */
export function whiteoutPath(path: ByteString): ByteString {
  return joinPath(parentPath(path), WHITEOUT_PREFIX + baseName(path));
}

/** The path of the entry that makes `directory` opaque. */
export function opaqueWhiteoutPath(directory: ByteString): ByteString {
  return joinPath(directory, OPAQUE_WHITEOUT);
}

function invalid(path: ByteString, why: string): BoxwrightError {
  return new BoxwrightError('LAYER_WHITEOUT_INVALID', `whiteout ${JSON.stringify(displayPath(path))} ${why}`, {
    hint: 'No honest tool writes such a name: the layer is broken or meant to do harm.',
  });
}
