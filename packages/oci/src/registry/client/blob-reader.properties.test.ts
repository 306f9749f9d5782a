import { BoxwrightError, isBoxwrightError } from '@boxwright/errors';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { descriptorOf } from '../../documents/descriptor.ts';
import type { Registries, RegistryRequest } from '../session/registries.ts';
import type { HttpResponse } from '../transport/http.ts';
import { openRepository } from './open-repository.ts';
import { readAll } from './testing/answers.ts';

/** How one answer goes wrong. */
interface Trouble {
  /** Bytes of the body after which the connection is lost. */
  readonly cut: number;
  /** Position of the blob whose byte is another; beyond the end: none. */
  readonly wrong: number;
  readonly pieceSize: number;
  readonly hasLength: boolean;
  readonly knowsRanges: boolean;
}

/** A registry without a network, which answers the Nth request with the Nth trouble, and well afterwards. */
function troubled(content: Buffer, troubles: readonly Trouble[]): Registries {
  let requests = 0;
  return {
    send: async (_repository, request) => answer(content, request, troubles[requests++]),
    isTransient: (error) => isBoxwrightError(error) && error.code === 'REGISTRY_CONNECTION',
    pause: async () => undefined,
    ping: async () => undefined,
    concurrency: () => 1,
    close: () => undefined,
  };
}

function answer(content: Buffer, { headers }: RegistryRequest, trouble: Trouble | undefined): HttpResponse {
  const range = /^bytes=(\d+)-$/.exec(headers?.['range'] ?? '');
  const start = trouble?.knowsRanges === false ? 0 : Number(range?.[1] ?? 0);
  const values = new Map([['content-range', `bytes ${start}-${content.length - 1}/${content.length}`]]);
  if (trouble?.hasLength !== false) values.set('content-length', String(content.length - start));
  return {
    status: start > 0 ? 206 : 200,
    url: new URL('http://registry.test/'),
    header: (name) => values.get(name),
    headers: () => [],
    body: body(content, start, trouble),
    bytes: async () => Buffer.alloc(0),
    discard: async () => undefined,
  };
}

async function* body(content: Buffer, start: number, trouble: Trouble | undefined): AsyncGenerator<Buffer> {
  const sent = Buffer.from(content);
  if (trouble !== undefined && trouble.wrong < sent.length) sent[trouble.wrong] = (sent[trouble.wrong] ?? 0) ^ 1;
  const end = Math.min(sent.length, start + (trouble?.cut ?? sent.length));
  const pieceSize = trouble?.pieceSize ?? 7;
  // One buffer for all pieces: each is valid only until the next one is asked for.
  const shared = Buffer.alloc(pieceSize);
  for (let at = start; at < end; at += pieceSize) {
    const size = sent.copy(shared, 0, at, Math.min(end, at + pieceSize));
    yield shared.subarray(0, size);
  }
  shared.fill(0);
  if (end < sent.length) throw new BoxwrightError('REGISTRY_CONNECTION', 'the connection was lost');
}

const trouble = (wrong: fc.Arbitrary<number>): fc.Arbitrary<Trouble> =>
  fc.record({
    cut: fc.nat(120),
    wrong,
    pieceSize: fc.integer({ min: 1, max: 40 }),
    hasLength: fc.boolean(),
    knowsRanges: fc.boolean(),
  });

const blob = fc.uint8Array({ minLength: 1, maxLength: 100 }).map((bytes) => Buffer.from(bytes));

it('what is read to the end is the blob, wherever connections are lost', async () => {
  await fc.assert(
    fc.asyncProperty(
      blob,
      fc.array(trouble(fc.constant(1000)), { maxLength: 5 }),
      fc.nat(100),
      async (content, all, at) => {
        const offset = Math.min(at, content.length);
        const repository = openRepository(troubled(content, all), { registry: 'registry.test', path: 'a' });
        const bytes = await readAll(repository.readBlob(descriptorOf(content, 'x/y'), { offset }));
        expect(bytes.equals(content.subarray(offset))).toBe(true);
      },
    ),
  );
});

it('the last byte is never handed out when a byte before it was wrong', async () => {
  await fc.assert(
    fc.asyncProperty(blob, fc.array(trouble(fc.nat(99)), { maxLength: 5 }), async (content, all) => {
      const repository = openRepository(troubled(content, all), { registry: 'registry.test', path: 'a' });
      const parts: Buffer[] = [];
      try {
        for await (const piece of repository.readBlob(descriptorOf(content, 'x/y'))) parts.push(Buffer.from(piece));
      } catch (error) {
        expect(error).toMatchObject({ code: 'BLOB_MISMATCH' });
        expect(Buffer.concat(parts).length).toBeLessThan(content.length);
        return;
      }
      expect(Buffer.concat(parts).equals(content)).toBe(true);
    }),
  );
});

it('a reader that comes back for the rest gets the right rest, or an error', async () => {
  await fc.assert(
    fc.asyncProperty(blob, trouble(fc.nat(150)), fc.nat(100), fc.nat(100), async (content, first, stopAt, back) => {
      const repository = openRepository(troubled(content, [first]), { registry: 'registry.test', path: 'a' });
      const descriptor = descriptorOf(content, 'x/y');
      const got: Buffer[] = [];
      try {
        for await (const piece of repository.readBlob(descriptor)) {
          got.push(Buffer.from(piece));
          if (Buffer.concat(got).length >= stopAt) break;
        }
        const offset = Math.min(back, Buffer.concat(got).length);
        const rest = await readAll(repository.readBlob(descriptor, { offset }));
        expect(rest.equals(content.subarray(offset))).toBe(true);
      } catch (error) {
        expect(error).toMatchObject({ code: 'BLOB_MISMATCH' });
      }
    }),
  );
});
