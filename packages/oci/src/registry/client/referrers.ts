import { BoxwrightError } from '@boxwright/errors';
import { type Descriptor, descriptorJson } from '../../documents/descriptor.ts';
import type { JsonValue } from '../../documents/json.ts';
import { goJson } from '../../documents/json-writer.ts';
import { documentLimits } from '../../documents/limits.ts';
import { type ImageIndex, type ImageManifest, parseIndex } from '../../documents/manifest.ts';
import { OCI_INDEX } from '../../documents/media-types.ts';
import type { Digest } from '../../names/digest.ts';
import { fallbackTag } from '../../names/referrer-tag.ts';
import { invalidAnswer, placeOf, pullScope, type RepositoryContext, repositoryPath, withPlace } from './context.ts';
import { resolveManifest, tryFetch } from './manifests.ts';
import { pagesOf } from './pages.ts';
import type { ReferrerOptions, RequestOptions } from './repository.ts';
import { sendManifest } from './send-manifest.ts';

/** How often the list under a fallback tag is written when others write it at the same time. */
const maxWrites = 5;

/** Answers of registries without the referrers API, beside 404. */
const withoutReferrersApi: readonly number[] = [400, 404, 405, 406, 501];

/** See {@link Repository.referrers}: distribution-spec "Listing Referrers". */
export async function listReferrers(
  context: RepositoryContext,
  subject: Digest,
  options: ReferrerOptions = {},
): Promise<readonly Descriptor[]> {
  const listed = context.hasReferrersApi === false ? undefined : await fromApi(context, subject, options);
  context.hasReferrersApi = listed !== undefined;
  const entries = listed ?? (await fallbackList(context, subject, options))?.manifests ?? [];
  const wanted = new Map<Digest, Descriptor>();
  for (const entry of entries) {
    // Filtered again: a registry need not do it. Nothing refers to itself.
    const fits = options.artifactType === undefined || entry.artifactType === options.artifactType;
    if (fits && entry.digest !== subject) wanted.set(entry.digest, entry);
  }
  return [...wanted.values()];
}

/** What the API lists; undefined when the registry does not have it. */
async function fromApi(
  context: RepositoryContext,
  subject: Digest,
  { artifactType, ...options }: ReferrerOptions,
): Promise<readonly Descriptor[] | undefined> {
  const { name } = context;
  const query = artifactType === undefined ? '' : `?${new URLSearchParams({ artifactType }).toString()}`;
  const what = `referrers of ${subject}`;
  const request = {
    ...options,
    target: repositoryPath(name, `referrers/${subject}${query}`),
    accept: OCI_INDEX,
    scopes: pullScope(name),
    expect: [200, ...withoutReferrersApi],
    what,
  };
  let entries: Descriptor[] | undefined;
  let fresh = 0;
  for await (const page of pagesOf(context, request, () => fresh)) {
    const { manifests } = readList(context, page.bytes, what);
    fresh = manifests.length;
    entries = [...(entries ?? []), ...manifests];
    if (entries.length > documentLimits.indexEntries) {
      throw invalidAnswer(name, what, `there are more than ${documentLimits.indexEntries}`);
    }
  }
  return entries;
}

function readList({ name }: RepositoryContext, bytes: Buffer, what: string): ImageIndex {
  try {
    return parseIndex(bytes, { mediaType: OCI_INDEX });
  } catch (error) {
    throw withPlace(name, what, error);
  }
}

async function fallbackList(
  context: RepositoryContext,
  subject: Digest,
  options: RequestOptions,
): Promise<ImageIndex | undefined> {
  const tag = fallbackTag(subject);
  const fetched = await tryFetch(context, tag, options);
  if (fetched === undefined) return undefined;
  if (fetched.document.kind === 'index') return fetched.document;
  throw new BoxwrightError(
    'DOCUMENT_TYPE_MISMATCH',
    `${placeOf(context.name, `tag ${tag}`)} should list the referrers of ${subject}, but is an image`,
    { hint: 'Delete that tag, or move the image to another one.' },
  );
}

/** Puts a manifest that refers to a subject on the subject's fallback list. */
export async function addToFallbackList(
  context: RepositoryContext,
  document: ImageManifest | ImageIndex,
  descriptor: Descriptor,
  options: RequestOptions = {},
): Promise<void> {
  const { subject, annotations } = document;
  if (subject === undefined) return;
  const artifactType = document.artifactType ?? (document.kind === 'manifest' ? document.config.mediaType : undefined);
  const entry: Descriptor = {
    ...descriptor,
    ...(artifactType === undefined ? {} : { artifactType }),
    ...(annotations.size === 0 ? {} : { annotations }),
  };
  await changeFallbackList(context, subject.digest, options, (entries) =>
    entries.some(({ digest }) => digest === entry.digest) ? undefined : [descriptorJson(entry)],
  );
}

/** Takes a manifest off the fallback list of what it refers to. */
export async function dropFromFallbackList(
  context: RepositoryContext,
  subject: Digest,
  digest: Digest,
  options: RequestOptions = {},
): Promise<void> {
  await changeFallbackList(
    context,
    subject,
    options,
    (entries) => (entries.some((entry) => entry.digest === digest) ? [] : undefined),
    digest,
  );
}

/**
 * Reads the list, changes and writes it, and looks whether it is still there: registries know no conditional writing, so
 * somebody else's list may have replaced it. Changes of one process come one after the other.
 *
 * @param added entries to append; undefined when nothing has to be done
 */
async function changeFallbackList(
  context: RepositoryContext,
  subject: Digest,
  options: RequestOptions,
  added: (entries: readonly Descriptor[]) => readonly JsonValue[] | undefined,
  dropped?: Digest,
): Promise<void> {
  const tag = fallbackTag(subject);
  const own: RequestOptions = { signal: options.signal };
  const before = context.listChanges.get(tag) ?? Promise.resolve();
  const change = before.then(async () => {
    for (let writes = 0; writes < maxWrites; writes++) {
      const list = await fallbackList(context, subject, own);
      const more = added(list?.manifests ?? []);
      if (more === undefined) return;
      const bytes = rewritten(list, more, dropped);
      const { descriptor } = await sendManifest(context, tag, bytes, OCI_INDEX, options);
      const now = await resolveManifest(context, tag, own);
      if (now?.digest === descriptor.digest) return;
    }
    throw invalidAnswer(context.name, `tag ${tag}`, 'the list of referrers is changed by others all the time');
  });
  // Whoever comes next waits for this change, not for its success.
  context.listChanges.set(
    tag,
    change.catch(() => undefined),
  );
  await change;
}

/** The list with its other members, and what its other entries have beside what is read here, as they were. */
function rewritten(list: ImageIndex | undefined, more: readonly JsonValue[], dropped: Digest | undefined): Buffer {
  const members = new Map<string, JsonValue>(
    list?.json ?? [
      ['schemaVersion', 2],
      ['mediaType', OCI_INDEX],
    ],
  );
  const old = list?.json.get('manifests');
  // The array that the entries were read from, one by one.
  const kept = Array.isArray(old) ? old.filter((_, index) => list?.manifests[index]?.digest !== dropped) : [];
  members.set('manifests', [...kept, ...more]);
  return Buffer.from(goJson(members));
}
