import type { Descriptor } from '../documents/descriptor.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../documents/json.ts';
import { goJson } from '../documents/json-writer.ts';
import type { ImageIndex, ImageManifest } from '../documents/manifest.ts';
import { digestAlgorithm, digestOf } from '../names/digest.ts';

/** BuildKit: which image an attestation is about. */
export const REFERENCE_DIGEST = 'vnd.docker.reference.digest';

/** What a document and its parts became. */
export interface DocumentChanges {
  /** The type that it is to have. */
  readonly mediaType: string;
  /** What the config is now. */
  readonly config?: Descriptor | undefined;
  /** What each layer, or entry of an index, is now, in the same order; undefined: left out. */
  readonly parts: readonly (Descriptor | undefined)[];
  /** New digests by old ones, for annotations that speak of other entries. */
  readonly digests: ReadonlyMap<string, string>;
}

/** A document as it is at the destination. */
export interface WrittenDocument {
  readonly descriptor: Descriptor;
  readonly bytes: Buffer;
}

/**
 * A manifest or index with changed parts: new bytes and the descriptor of them. Members that this does not know stay. When
 * nothing changed its own bytes are given, so that its digest stays.
 */
export function rewriteDocument(
  descriptor: Descriptor,
  document: ImageManifest | ImageIndex,
  changes: DocumentChanges,
): WrittenDocument {
  const json = new Map(document.json);
  let changed = false;
  const set = (name: string, value: JsonValue): void => {
    if (json.get(name) === value) return;
    json.set(name, value);
    changed = true;
  };
  // A document need not say its type, so it is only written where it changes.
  if (changes.mediaType !== document.mediaType) set('mediaType', changes.mediaType);
  const config = json.get('config');
  if (changes.config !== undefined && isJsonObject(config))
    set('config', rewriteEntry(config, changes.config, changes));
  const member = document.kind === 'manifest' ? 'layers' : 'manifests';
  const old = json.get(member);
  const entries: readonly JsonValue[] = Array.isArray(old) ? old : [];
  const kept: JsonValue[] = [];
  for (const [index, entry] of entries.entries()) {
    const part = changes.parts[index];
    if (part !== undefined && isJsonObject(entry)) kept.push(rewriteEntry(entry, part, changes));
  }
  if (kept.length !== entries.length || kept.some((entry, index) => entry !== entries[index])) set(member, kept);
  if (!changed) return { descriptor, bytes: document.raw };
  const bytes = Buffer.from(goJson(json, '  '));
  const digest = digestOf(bytes, digestAlgorithm(descriptor.digest));
  return { descriptor: { ...descriptor, mediaType: changes.mediaType, digest, size: bytes.length }, bytes };
}

/** The entry itself when it stays as it is. */
function rewriteEntry(entry: JsonObject, part: Descriptor, { digests }: DocumentChanges): JsonObject {
  const members = new Map(entry);
  for (const name of ['mediaType', 'digest', 'size'] as const) members.set(name, part[name]);
  // A changed blob or manifest is not the one that was embedded.
  if (part.digest !== entry.get('digest')) members.delete('data');
  const annotations = entry.get('annotations');
  const about = isJsonObject(annotations) ? annotations.get(REFERENCE_DIGEST) : undefined;
  const now = typeof about === 'string' ? digests.get(about) : undefined;
  if (now !== undefined && isJsonObject(annotations)) {
    members.set('annotations', new Map(annotations).set(REFERENCE_DIGEST, now));
  }
  for (const [name, value] of members) if (entry.get(name) !== value) return members;
  return members.size === entry.size ? entry : members;
}
