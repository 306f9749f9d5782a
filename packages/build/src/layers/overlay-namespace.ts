import { readFileSync } from 'node:fs';
import type { OverlayNamespace } from '@boxwright/oci';

/** overlayfs keeps its marks in `trusted.*`, which only the machine's own root may set, else in `user.*`. */
export function overlayNamespace(): OverlayNamespace {
  return process.getuid?.() === 0 && !isInUserNamespace() ? 'trusted' : 'user';
}

/** In the first user namespace every id maps to itself, all 2^32 - 1 of them. */
function isInUserNamespace(): boolean {
  try {
    return !/^\s*0\s+0\s+4294967295\s*$/.test(readFileSync('/proc/self/uid_map', 'utf8'));
  } catch {
    return false;
  }
}
