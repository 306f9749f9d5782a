import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { descriptorOf } from '../../documents/descriptor.ts';
import { OCI_MANIFEST } from '../../documents/media-types.ts';
import { digestOf } from '../../names/digest.ts';
import { readAll, startAnswers } from './testing/answers.ts';

const config = { mediaType: 'application/vnd.oci.image.config.v1+json', digest: digestOf('{}'), size: 2 };
const manifest = JSON.stringify({ schemaVersion: 2, mediaType: OCI_MANIFEST, config, layers: [] });
const content = Buffer.from('some content '.repeat(100_000));
const descriptor = descriptorOf(content, 'application/octet-stream');

describe('answers encoded although that was not asked for (threats R4)', () => {
  const gzip = { 'content-type': OCI_MANIFEST, 'content-encoding': 'gzip' };

  it('a manifest is decoded, then verified', async () => {
    const server = await startAnswers(() => ({ body: gzipSync(manifest), headers: gzip }));
    expect((await server.repository.manifest(digestOf(manifest))).bytes.toString()).toBe(manifest);
  });

  it('a manifest that only says so is taken as it is', async () => {
    const server = await startAnswers(() => ({ body: manifest, headers: gzip }));
    expect((await server.repository.manifest(digestOf(manifest))).bytes.toString()).toBe(manifest);
  });

  it('a manifest that expands beyond 4 MiB is refused', async () => {
    const server = await startAnswers(() => ({ body: gzipSync(Buffer.alloc(64 * 1024 * 1024)), headers: gzip }));
    await expect(server.repository.manifest('1')).rejects.toMatchObject({ code: 'DOCUMENT_TOO_LARGE' });
  });

  it('a blob is decoded, then verified, and read from its start when the connection is lost', async () => {
    const encoded = gzipSync(content, { level: 0 });
    let requests = 0;
    const server = await startAnswers((_request, _url, response) => {
      if (requests++ > 0) return { body: encoded, headers: gzip };
      response.setHeader('content-encoding', 'gzip');
      response.write(encoded.subarray(0, 800_000));
      setTimeout(() => response.destroy(), 50);
      return undefined;
    });
    expect((await readAll(server.repository.readBlob(descriptor))).equals(content)).toBe(true);
    expect(server.registries.sent.some((line) => line.includes('['))).toBe(false);
    expect(requests).toBe(2);
  });

  it('a blob that is gzip itself, and labelled so by its storage, is taken as it is', async () => {
    const layer = gzipSync(content);
    const own = descriptorOf(layer, 'application/octet-stream');
    const server = await startAnswers(() => ({ body: layer, headers: gzip }));
    expect((await readAll(server.repository.readBlob(own))).equals(layer)).toBe(true);
  });

  it('a blob that expands beyond its size is refused', async () => {
    const server = await startAnswers(() => ({ body: gzipSync(Buffer.alloc(64 * 1024 * 1024)), headers: gzip }));
    const pieces = readAll(server.repository.readBlob(descriptor));
    await expect(pieces).rejects.toMatchObject({ code: 'BLOB_MISMATCH' });
  });

  it('codings that nobody knows are refused by name', async () => {
    const headers = { 'content-encoding': 'x-\u00e9vil' };
    const server = await startAnswers(() => ({ body: 'x', headers }));
    await expect(readAll(server.repository.readBlob(descriptor))).rejects.toMatchObject({
      code: 'REGISTRY_ANSWER_INVALID',
    });
  });
});
