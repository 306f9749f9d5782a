import type { Descriptor } from '../documents/descriptor.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../documents/json.ts';
import { goJson } from '../documents/json-writer.ts';
import type { ImageIndex, ImageManifest } from '../documents/manifest.ts';
import { type Digest, digestOf } from '../names/digest.ts';

/** What a descriptor became. */
export type Replacements = ReadonlyMap<Digest, Descriptor>;

/** BuildKit: which image an attestation is about. */
const referenceDigest = 'vnd.docker.reference.digest';

/** A document whose parts were exchanged: new bytes and the descriptor of them. Everything else in it stays. */
export interface Rewritten {
  readonly descriptor: Descriptor;
  readonly bytes: Buffer;
}

/**
 * A manifest or index with other descriptors in place of some, or undefined when it names none of those: then its own
 * bytes must be used, so that its digest stays.
 */
export function rewriteDocument(
  descriptor: Descriptor,
  document: ImageManifest | ImageIndex,
  replacements: Replacements,
): Rewritten | undefined {
  const member = document.kind === 'manifest' ? 'layers' : 'manifests';
  const entries = document.json.get(member);
  if (!Array.isArray(entries)) return undefined;
  const values: readonly JsonValue[] = entries;
  const changed = values.map((entry) => (isJsonObject(entry) ? rewriteEntry(entry, replacements) : entry));
  if (changed.every((entry, index) => entry === values[index])) return undefined;
  const bytes = Buffer.from(goJson(new Map(document.json).set(member, changed), '  '));
  return { descriptor: { ...descriptor, digest: digestOf(bytes), size: bytes.length }, bytes };
}

function rewriteEntry(entry: JsonObject, replacements: Replacements): JsonObject {
  const annotations = entry.get('annotations');
  const about = isJsonObject(annotations) ? replacementOf(annotations.get(referenceDigest), replacements) : undefined;
  const replacement = replacementOf(entry.get('digest'), replacements);
  if (replacement === undefined && about === undefined) return entry;
  const members = new Map(entry);
  if (replacement !== undefined) {
    members.set('mediaType', replacement.mediaType).set('digest', replacement.digest).set('size', replacement.size);
  }
  if (about !== undefined && isJsonObject(annotations)) {
    members.set('annotations', new Map(annotations).set(referenceDigest, about.digest));
  }
  return members;
}

function replacementOf(digest: JsonValue | undefined, replacements: Replacements): Descriptor | undefined {
  for (const [from, to] of replacements) if (from === digest) return to;
  return undefined;
}
