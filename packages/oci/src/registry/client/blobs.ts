import { isBoxwrightError } from '@boxwright/errors';
import { type Descriptor, verifyBytes } from '../../documents/descriptor.ts';
import { documentLimits } from '../../documents/limits.ts';
import { type Digest, isDigest } from '../../names/digest.ts';
import { type RepositoryName, repositoryKey } from '../repository-name.ts';
import type { RegistryRequest } from '../session/registries.ts';
import { contentLength, looksLikeHtml, signalOf } from './answers.ts';
import {
  deleteScope,
  invalidAnswer,
  pullScope,
  pushScope,
  type RepositoryContext,
  repositoryPath,
  withPlace,
} from './context.ts';
import { readWhole } from './read-whole.ts';
import type { MountAnswer, RequestOptions } from './repository.ts';

/** See {@link Repository.blobSize}. No mirror is asked: it says nothing about what the registry itself has. */
export async function blobSize(
  { name, registries }: RepositoryContext,
  digest: Digest,
  options: RequestOptions = {},
): Promise<number | undefined> {
  const response = await registries.send(name, {
    method: 'HEAD',
    target: repositoryPath(name, `blobs/${digest}`),
    scopes: pullScope(name),
    expect: [200, 404],
    what: `blob ${digest}`,
    ...signalOf(options),
  });
  await response.discard();
  // Without a length nobody can tell whether it is the blob: it counts as not there, and is sent or asked for.
  return response.status === 200 ? contentLength(response) : undefined;
}

/** See {@link Repository.blob}. */
export async function fetchBlob(
  context: RepositoryContext,
  descriptor: Descriptor,
  options: RequestOptions = {},
): Promise<Buffer> {
  const { name } = context;
  const request: RegistryRequest = {
    method: 'GET',
    target: repositoryPath(name, `blobs/${descriptor.digest}`),
    scopes: pullScope(name),
    expect: [200],
    what: `blob ${descriptor.digest}`,
    allowMirrors: context.trustsMirrors && options.mirrors === true,
    ...signalOf(options),
  };
  try {
    return await verified(context, request, descriptor);
  } catch (error) {
    // A mirror may have damaged it, the registry itself is asked once more.
    if (!isBoxwrightError(error) || error.code !== 'BLOB_MISMATCH' || !request.allowMirrors) throw error;
    context.trustsMirrors = false;
    return await verified(context, { ...request, allowMirrors: false }, descriptor);
  }
}

async function verified(context: RepositoryContext, request: RegistryRequest, descriptor: Descriptor): Promise<Buffer> {
  const { response, bytes } = await readWhole(context, request, documentLimits.configBytes);
  try {
    verifyBytes(bytes, descriptor);
    return bytes;
  } catch (error) {
    if (looksLikeHtml(response, bytes)) {
      throw invalidAnswer(context.name, request.what, 'the answer is an HTML page, not the blob', error);
    }
    throw withPlace(context.name, request.what, error);
  }
}

/** See {@link Repository.deleteBlob}. */
export async function deleteBlob(
  { name, registries }: RepositoryContext,
  digest: Digest,
  options: RequestOptions = {},
): Promise<void> {
  const response = await registries.send(name, {
    method: 'DELETE',
    target: repositoryPath(name, `blobs/${digest}`),
    scopes: deleteScope(name),
    expect: [200, 202, 204],
    what: `blob ${digest}`,
    ...signalOf(options),
  });
  await response.discard();
}

/** Statuses by which registries say that a mount is not to be had; uploading may well be. */
const mountRefused: readonly number[] = [400, 403, 404, 405, 416];

/** See {@link Repository.mountBlob}: distribution-spec "Mounting a blob from another repository". */
export async function mountBlob(
  { name, registries }: RepositoryContext,
  digest: Digest,
  from: RepositoryName,
  options: RequestOptions = {},
): Promise<MountAnswer> {
  if (from.registry !== name.registry || from.path === name.path) return { mounted: false };
  const what = `blob ${digest} from ${repositoryKey(from)}`;
  const query = new URLSearchParams({ mount: digest, from: from.path }).toString();
  try {
    const response = await registries.send(name, {
      method: 'POST',
      target: repositoryPath(name, `blobs/uploads/?${query}`),
      scopes: [...pushScope(name), ...pullScope(from)],
      headers: { 'content-length': '0' },
      expect: [201, 202, ...mountRefused],
      what,
      ...signalOf(options),
    });
    await response.discard();
    if (response.status === 201) return { mounted: isNotOther(response.header('docker-content-digest'), digest) };
    const location = response.status === 202 ? response.header('location') : undefined;
    if (location === undefined) return { mounted: false };
    const upload = URL.parse(location, response.url.href);
    return upload === null ? { mounted: false } : { mounted: false, upload };
  } catch (error) {
    // The source may be closed to us. Whether the destination is, too, shows when the blob is sent.
    if (isBoxwrightError(error) && (error.code === 'REGISTRY_UNAUTHORIZED' || error.code === 'REGISTRY_DENIED')) {
      return { mounted: false };
    }
    throw error;
  }
}

/** True unless the header names another blob. */
function isNotOther(announced: string | undefined, digest: Digest): boolean {
  return announced === undefined || !isDigest(announced) || announced === digest;
}

/** See {@link Repository.cancelUpload}. */
export async function cancelUpload(
  { name, registries }: RepositoryContext,
  location: URL,
  options: RequestOptions = {},
): Promise<void> {
  try {
    const response = await registries.send(name, {
      method: 'DELETE',
      target: location,
      scopes: pushScope(name),
      expect: [200, 202, 204, 400, 404, 405],
      what: 'upload session',
      ...signalOf(options),
    });
    await response.discard();
  } catch (error) {
    options.signal?.throwIfAborted();
    // Sessions expire by themselves; nothing depends on this one having gone early.
    if (!isBoxwrightError(error)) throw error;
  }
}
