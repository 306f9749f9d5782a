import { describe, expect, it, onTestFinished } from 'vitest';
import type { Descriptor } from '../../documents/descriptor.ts';
import { digestOf, parseDigest } from '../../names/digest.ts';
import { generatedBlob, startTestRegistry, type TestRegistryOptions } from '../testing/index.ts';
import { openRepository } from './open-repository.ts';
import { readAll, startAnswers } from './testing/answers.ts';
import { directRegistries } from './testing/direct-registries.ts';

const MIB = 1024 * 1024;
const mediaType = 'application/octet-stream';

async function setUp(size: number, options: TestRegistryOptions = {}) {
  const registry = await startTestRegistry(options);
  onTestFinished(() => registry.close());
  const registries = directRegistries(registry.url);
  const repository = openRepository(registries, { registry: registry.host, path: 'team/app' });
  const blob = generatedBlob(size, 1);
  const digest = parseDigest(registry.repository('team/app').putStored(blob));
  const bytes = Buffer.concat([...blob.read(0, size)]);
  const descriptor: Descriptor = { mediaType, digest, size };
  return { registry, registries, repository, bytes, descriptor };
}

function descriptorOfText(text: string): Descriptor {
  return { mediaType, digest: digestOf(text), size: text.length };
}

describe('readBlob', () => {
  it.each([0, 1, 70_000, 3 * MIB])('reads %i bytes with one request', async (size) => {
    const box = await setUp(size);
    expect((await readAll(box.repository.readBlob(box.descriptor))).equals(box.bytes)).toBe(true);
    expect(box.registry.requests).toHaveLength(1);
  });

  it('leaves the start out, yet checks it', async () => {
    const box = await setUp(3 * MIB);
    for (const offset of [1, 65_536, 2 * MIB + 7, 3 * MIB]) {
      const rest = await readAll(box.repository.readBlob(box.descriptor, { offset }));
      expect(rest.equals(box.bytes.subarray(offset))).toBe(true);
    }
    box.registry.faults.add({ action: { kind: 'corrupt', at: 10 } });
    const pieces = readAll(box.repository.readBlob(box.descriptor, { offset: 2 * MIB }));
    await expect(pieces).rejects.toMatchObject({ code: 'BLOB_MISMATCH' });
  });

  it('goes on with Range where the connection was lost, keeping the hash', async () => {
    const box = await setUp(8 * MIB);
    for (const after of [100, 2 * MIB, 3 * MIB]) box.registry.faults.add({ action: { kind: 'cut-down', after } });
    expect((await readAll(box.repository.readBlob(box.descriptor))).equals(box.bytes)).toBe(true);
    const ranges = box.registry.requests.map(({ headers }) => headers.range);
    expect(ranges).toHaveLength(4);
    expect(ranges[0]).toBeUndefined();
    for (const range of ranges.slice(1)) expect(range).toMatch(/^bytes=\d+-$/);
  });

  it('goes on where ranges are ignored: what is known already is left out', async () => {
    const box = await setUp(4 * MIB, { ranges: false });
    box.registry.faults.add({ times: 2, action: { kind: 'cut-down', after: 2 * MIB } });
    expect((await readAll(box.repository.readBlob(box.descriptor))).equals(box.bytes)).toBe(true);
  });

  it.each([
    ['another range than asked for', { status: 206, headers: { 'content-range': 'bytes 0-9/10' }, body: '0123456789' }],
    ['a range of another blob', { status: 206, headers: { 'content-range': 'bytes 4-11/12' }, body: '45678901' }],
    ['a part without saying which', { status: 206, body: '456789' }],
    ['416', { status: 416 }],
  ])('asks for the whole when the answer to a range is %s', async (_, odd) => {
    let requests = 0;
    const box = await startAnswers((request, _url, response) => {
      requests += 1;
      if (requests === 1) {
        response.setHeader('content-length', 10);
        response.write('0123');
        setTimeout(() => response.destroy(), 20);
        return undefined;
      }
      return request.headers.range === undefined ? { body: '0123456789' } : odd;
    });
    const descriptor = descriptorOfText('0123456789');
    expect((await readAll(box.repository.readBlob(descriptor))).toString()).toBe('0123456789');
    expect(requests).toBe(3);
  });

  it('has enough when all bytes are there and only the end of the answer is lost', async () => {
    const server = await startAnswers((_request, _url, response) => {
      response.write('0123456789');
      setTimeout(() => response.destroy(), 20);
      return undefined;
    });
    const descriptor = descriptorOfText('0123456789');
    expect((await readAll(server.repository.readBlob(descriptor))).toString()).toBe('0123456789');
    expect(server.registries.sent).toHaveLength(1);
  });

  it('gives up when connections bring nothing', async () => {
    const box = await startAnswers((_request, _url, response) => {
      response.setHeader('content-length', 10);
      response.write('0');
      setTimeout(() => response.destroy(), 5);
      return undefined;
    });
    const pieces = readAll(box.repository.readBlob(descriptorOfText('0123456789')));
    await expect(pieces).rejects.toMatchObject({ code: 'REGISTRY_CONNECTION' });
    expect(box.registries.sent.length).toBeLessThanOrEqual(6);
  });

  it('remembers hashes of an interrupted reading: the rest is enough to go on', async () => {
    const box = await setUp(40 * MIB);
    let taken = 0;
    for await (const piece of box.repository.readBlob(box.descriptor)) {
      taken += piece.length;
      if (taken > 30 * MIB) break;
    }
    const offset = 29 * MIB;
    const rest = await readAll(box.repository.readBlob(box.descriptor, { offset }));
    expect(rest.equals(box.bytes.subarray(offset))).toBe(true);
    const start = Number(/^bytes=(\d+)-$/.exec(box.registry.requests.at(-1)?.headers.range ?? '')?.[1]);
    expect(start).toBeGreaterThan(16 * MIB);
    expect(start).toBeLessThanOrEqual(offset);
    // What was remembered is of use once: the next reading begins anew.
    await readAll(box.repository.readBlob(box.descriptor, { offset }));
    expect(box.registry.requests.at(-1)?.headers.range).toBeUndefined();
  });

  it('finds bytes that changed between two readings', async () => {
    const box = await setUp(40 * MIB);
    let taken = 0;
    for await (const piece of box.repository.readBlob(box.descriptor)) {
      taken += piece.length;
      if (taken > 30 * MIB) break;
    }
    box.registry.faults.add({ action: { kind: 'corrupt', at: 35 * MIB } });
    const rest = readAll(box.repository.readBlob(box.descriptor, { offset: 29 * MIB }));
    await expect(rest).rejects.toMatchObject({ code: 'BLOB_MISMATCH' });
  });

  it('stops when it is told to', async () => {
    const box = await setUp(4 * MIB, { faults: [{ action: { kind: 'stall-down', after: MIB } }] });
    const abort = new AbortController();
    const reason = new Error('enough');
    setTimeout(() => abort.abort(reason), 50);
    await expect(readAll(box.repository.readBlob(box.descriptor, { signal: abort.signal }))).rejects.toBe(reason);
  });
});

describe('wrong bytes (threats R2)', () => {
  /** What was handed out before the error came. */
  async function until(pieces: AsyncIterable<Uint8Array>): Promise<{ readonly text: string; readonly error: unknown }> {
    const parts: Buffer[] = [];
    try {
      for await (const piece of pieces) parts.push(Buffer.from(piece));
    } catch (error) {
      return { text: Buffer.concat(parts).toString(), error };
    }
    return { text: Buffer.concat(parts).toString(), error: undefined };
  }

  it.each([
    ['other bytes', '0123456780', {}, /has the digest sha256:/],
    ['fewer bytes', '01234567', {}, /8 bytes where 10 are expected/],
    ['more bytes', '0123456789abc', {}, /13 bytes where 10 are expected/],
    ['fewer bytes of unknown length', '01234567', { 'transfer-encoding': 'chunked' }, /ends after 8 of 10 bytes/],
    ['more bytes of unknown length', '0123456789abc', { 'transfer-encoding': 'chunked' }, /more than the 10 bytes/],
  ])('%s are never handed out to the end', async (_, body, headers, message) => {
    const box = await startAnswers(() => ({ body, headers }));
    const { text, error } = await until(box.repository.readBlob(descriptorOfText('0123456789')));
    expect(error).toMatchObject({ code: 'BLOB_MISMATCH', message: expect.stringMatching(message) });
    expect(error).toMatchObject({ message: expect.stringMatching(/^blob sha256:\w+ of 127\.0\.0\.1:\d+\/team\/app /) });
    expect(text.length).toBeLessThan(10);
  });

  it('waits for the end of the answer before the last piece', async () => {
    const box = await startAnswers((_request, _url, response) => {
      response.write('0123456789');
      setTimeout(() => response.end('x'), 50);
      return undefined;
    });
    const { text, error } = await until(box.repository.readBlob(descriptorOfText('0123456789')));
    expect(error).toMatchObject({ code: 'BLOB_MISMATCH' });
    expect(text).toBe('');
  });

  it('a config is checked as a whole', async () => {
    const box = await startAnswers((_request, url) => ({
      body: url.pathname.endsWith(digestOf('{"a":1}')) ? '{"a":1}' : '<html>',
    }));
    expect((await box.repository.blob(descriptorOfText('{"a":1}'))).toString()).toBe('{"a":1}');
    await expect(box.repository.blob(descriptorOfText('{"b":1}'))).rejects.toMatchObject({
      code: 'REGISTRY_ANSWER_INVALID',
    });
    const larger = { ...descriptorOfText('{"a":1}'), size: 8 };
    await expect(box.repository.blob(larger)).rejects.toMatchObject({ code: 'BLOB_MISMATCH' });
  });
});
