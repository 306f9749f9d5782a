import type { Descriptor } from '../documents/descriptor.ts';
import { canonicalName, isTag, parseReference, withDefaultTag } from '../names/reference.ts';

/** OCI image-spec annotations.md: what an entry of `index.json` is called. */
export const REF_NAME = 'org.opencontainers.image.ref.name';
/** containerd's and Docker's full name, beside the tag in {@link REF_NAME}. */
export const CONTAINERD_NAME = 'io.containerd.image.name';

/** What the entry of an OCI layout's index is called. */
export function namesOf(descriptor: Descriptor): { names: string[]; refName?: string } {
  const names = new Set<string>();
  const full = descriptor.annotations?.get(CONTAINERD_NAME);
  const refName = descriptor.annotations?.get(REF_NAME);
  if (full !== undefined) addName(names, full);
  // Some tools put the whole name there. A bare word is a tag, not a Docker Hub image of that name.
  if (full === undefined && refName !== undefined && /[/:]/.test(refName)) addName(names, refName);
  return { names: [...names], ...(refName === undefined ? {} : { refName }) };
}

/** Annotations for an entry of an OCI layout's index: its full name and tag, or a bare tag. */
export function nameAnnotations(name: string): Map<string, string> {
  if (isTag(name)) return new Map([[REF_NAME, name]]);
  const reference = withDefaultTag(parseReference(name));
  return new Map([
    [CONTAINERD_NAME, canonicalName(reference)],
    [REF_NAME, reference.tag ?? canonicalName(reference)],
  ]);
}

/** Names that are none are left out: they are notes of another tool, not ours to judge. */
function addName(names: Set<string>, text: string): void {
  try {
    const reference = withDefaultTag(parseReference(text));
    if (reference.digest === undefined) names.add(canonicalName(reference));
  } catch {
    // Not a reference.
  }
}
