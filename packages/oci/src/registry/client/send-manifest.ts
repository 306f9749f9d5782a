import { type Descriptor, descriptorOf, verifyBytes } from '../../documents/descriptor.ts';
import { type Digest, digestAlgorithm, digestOf, isDigest } from '../../names/digest.ts';
import { contentDigest, signalOf } from './answers.ts';
import { invalidAnswer, manifestPath, pushScope, type RepositoryContext } from './context.ts';
import type { RequestOptions } from './repository.ts';

/** See {@link Repository.putManifest}; without the fallback list. */
export async function sendManifest(
  context: RepositoryContext,
  reference: string,
  bytes: Uint8Array,
  mediaType: string,
  options: RequestOptions = {},
): Promise<{ readonly descriptor: Descriptor; readonly listsSubject: boolean }> {
  const { name, registries } = context;
  const what = `manifest ${reference}`;
  const algorithm = isDigest(reference) ? digestAlgorithm(reference) : 'sha256';
  const descriptor: Descriptor = { ...descriptorOf(bytes, mediaType), digest: digestOf(bytes, algorithm) };
  if (isDigest(reference)) verifyBytes(bytes, { ...descriptor, digest: reference });
  const response = await registries.send(name, {
    method: 'PUT',
    target: manifestPath(name, reference),
    scopes: pushScope(name),
    headers: { 'content-type': mediaType },
    body: bytes,
    // Some registries answer 200 or 202.
    expect: [200, 201, 202],
    // The same bytes under the same name: doing it twice is doing it once (threats R7).
    retry: 'safe',
    what,
    ...signalOf(options),
  });
  await response.discard();
  const announced = contentDigest(response);
  const isStored = announced === undefined || announced === 'invalid' || isDigestOf(bytes, announced);
  if (!isStored) {
    throw invalidAnswer(
      name,
      what,
      `it was sent as ${descriptor.digest}, but the registry says it stored ${announced}`,
    );
  }
  return { descriptor, listsSubject: response.header('oci-subject') !== undefined };
}

function isDigestOf(bytes: Uint8Array, digest: Digest): boolean {
  return digestOf(bytes, digestAlgorithm(digest)) === digest;
}
