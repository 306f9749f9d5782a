/**
 * Which extended attributes layers carry, in both directions: file capabilities and the user's own, without those by
 * which overlayfs is steered. Docker writes `security.capability` only; we add `user.*`. POSIX ACLs
 * (`system.posix_acl_*`) are left out as Docker leaves them out, so that a layer is the same on either builder.
 */
export function isLayerXattr(name: string): boolean {
  return name === 'security.capability' || (name.startsWith('user.') && !name.startsWith('user.overlay.'));
}

/** Name spaces that overlayfs keeps its attributes in: `user` with the mount option `userxattr`. */
export type OverlayNamespace = 'trusted' | 'user';

/** Attribute of a directory that hides those of lower layers, when its value is `y`. */
export function opaqueXattr(namespace: OverlayNamespace): string {
  return `${namespace}.overlay.opaque`;
}
