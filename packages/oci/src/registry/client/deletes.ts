import { randomUUID } from 'node:crypto';
import { BoxwrightError, isBoxwrightError } from '@boxwright/errors';
import { OCI_INDEX } from '../../documents/media-types.ts';
import { serializeIndex } from '../../documents/serialize.ts';
import { type Digest, digestOf } from '../../names/digest.ts';
import { signalOf } from './answers.ts';
import { deleteScope, manifestPath, placeOf, type RepositoryContext } from './context.ts';
import { resolveManifest, tryFetch } from './manifests.ts';
import { dropFromFallbackList, listReferrers } from './referrers.ts';
import type { FetchedManifest, RequestOptions } from './repository.ts';
import { sendManifest } from './send-manifest.ts';

const deleted: readonly number[] = [200, 202, 204];

/** Answers of registries that can delete manifests, but not tags. */
const withoutTagDelete: readonly number[] = [400, 404, 405, 501];

/** See {@link Repository.deleteManifest}. */
export async function deleteManifest(
  context: RepositoryContext,
  digest: Digest,
  options: RequestOptions = {},
): Promise<void> {
  const subject = await subjectOf(context, digest, options);
  await sendDelete(context, digest, deleted, options);
  if (subject === undefined) return;
  if (context.hasReferrersApi === undefined) await listReferrers(context, subject, options);
  if (context.hasReferrersApi === false) await dropFromFallbackList(context, subject, digest, options);
}

/** What a manifest refers to, if that has to be known: registries with the referrers API keep their lists themselves. */
async function subjectOf(
  context: RepositoryContext,
  digest: Digest,
  options: RequestOptions,
): Promise<Digest | undefined> {
  if (context.hasReferrersApi === true) return undefined;
  let fetched: FetchedManifest | undefined;
  try {
    fetched = await tryFetch(context, digest, { signal: options.signal });
  } catch (error) {
    // Broken manifests are a reason to delete them.
    if (!isBoxwrightError(error) || !/^(?:DOCUMENT|BLOB)_/.test(error.code)) throw error;
  }
  return fetched?.document.subject?.digest;
}

/**
 * See {@link Repository.deleteTag}. Where the registry deletes by digest only, the tag is moved to an empty index of its
 * own, and that is deleted. Whether deleting works at all is tried out before the tag is touched.
 */
export async function deleteTag(context: RepositoryContext, tag: string, options: RequestOptions = {}): Promise<void> {
  const status = await sendDelete(context, tag, [...deleted, ...withoutTagDelete], options);
  if (deleted.includes(status)) return;
  const own: RequestOptions = { signal: options.signal };
  const { name } = context;
  if ((await resolveManifest(context, tag, own)) === undefined) {
    throw new BoxwrightError('REGISTRY_NOT_FOUND', `${placeOf(name, `tag ${tag}`)} does not exist`, {
      hint: 'boxwright tags lists what is there.',
      details: { registry: name.registry, repository: name.path },
    });
  }
  const original = await tryFetch(context, tag, own);
  await deleteStandIn(context, standIn(tag), undefined, options);
  try {
    await deleteStandIn(context, standIn(tag), tag, options);
  } catch (error) {
    const { bytes, descriptor } = original ?? {};
    if (bytes !== undefined && descriptor !== undefined)
      await sendManifest(context, tag, bytes, descriptor.mediaType, {});
    throw error;
  }
}

async function deleteStandIn(
  context: RepositoryContext,
  bytes: Buffer,
  tag: string | undefined,
  options: RequestOptions,
): Promise<void> {
  const digest = digestOf(bytes);
  await sendManifest(context, tag ?? digest, bytes, OCI_INDEX, options);
  await sendDelete(context, digest, deleted, options);
}

/** An index that nobody else has: deleting it by digest takes no other tag along. */
function standIn(tag: string): Buffer {
  const annotations = new Map([['dev.boxwright.deletes-tag', `${tag} ${randomUUID()}`]]);
  return serializeIndex({ manifests: [], annotations });
}

async function sendDelete(
  { name, registries }: RepositoryContext,
  reference: string,
  expect: readonly number[],
  options: RequestOptions,
): Promise<number> {
  const response = await registries.send(name, {
    method: 'DELETE',
    target: manifestPath(name, reference),
    scopes: deleteScope(name),
    expect,
    what: `manifest ${reference}`,
    ...signalOf(options),
  });
  await response.discard();
  return response.status;
}
