import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { once } from 'node:events';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { escapeForTerminal } from '@boxwright/errors';
import { compressionInvalid, compressionUnsupported } from './compression-error.ts';
import type { ExpansionGuard } from './expansion-guard.ts';

/** The programs that read what Node cannot, and the Debian package each comes from. */
const HELPERS = {
  xz: { args: ['--decompress', '--stdout', '--memlimit-decompress=256MiB'], package: 'xz-utils' },
  bzip2: { args: ['--decompress', '--stdout'], package: 'bzip2' },
} as const;

const MAX_MESSAGE = 300;

/**
 * Expands a stream with the `xz` or `bzip2` program. COMPRESSION_UNSUPPORTED when it is not installed,
 * COMPRESSION_INVALID with its own words when it fails. The program ends with the iteration.
 */
export async function* decompressWithHelper(
  kind: 'xz' | 'bzip2',
  source: AsyncIterable<Uint8Array>,
  guard: ExpansionGuard,
): AsyncGenerator<Buffer, void, undefined> {
  const child = await start(kind);
  const exit = once(child, 'close');
  const words = collectWords(child);
  let sourceError: { error: unknown } | undefined;
  const watched = watch(source, (error) => {
    sourceError = { error };
    child.kill('SIGKILL');
  });
  // A program that gives up closes its input: its exit code and words say more than EPIPE.
  const feeding = pipeline(Readable.from(watched, { objectMode: false }), child.stdin).catch(() => undefined);
  try {
    // The cast: a pipe without encoding gives out buffers, its type says any.
    for await (const chunk of child.stdout as AsyncIterable<Buffer>) {
      guard.expand(chunk.length);
      yield chunk;
    }
    const [code, signal]: unknown[] = await exit;
    if (sourceError !== undefined) throw sourceError.error;
    if (code !== 0) {
      const reason = escapeForTerminal(words().trim());
      throw compressionInvalid(kind, `${kind} ended with ${String(code ?? signal)}: ${reason}`);
    }
    await feeding;
  } finally {
    child.kill('SIGKILL');
  }
}

async function start(kind: 'xz' | 'bzip2'): Promise<ChildProcessWithoutNullStreams> {
  // A small fixed environment: the caller's may hold options for the program (XZ_OPT, BZIP2).
  const child = spawn(kind, HELPERS[kind].args, {
    env: { PATH: process.env['PATH'] ?? '/usr/bin:/bin', LC_ALL: 'C' },
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  try {
    await once(child, 'spawn');
  } catch (error) {
    const hint = `Install the program ${kind} (Debian package ${HELPERS[kind].package}), or use gzip or zstd.`;
    throw compressionUnsupported(kind, `the program ${kind}, which reads it, could not be started`, hint, error);
  }
  return child;
}

function collectWords(child: ChildProcessWithoutNullStreams): () => string {
  let text = '';
  child.stderr.on('data', (chunk: Buffer) => {
    if (text.length < MAX_MESSAGE) text += chunk.toString('utf8');
  });
  return () => text.slice(0, MAX_MESSAGE);
}

async function* watch(
  source: AsyncIterable<Uint8Array>,
  onError: (error: unknown) => void,
): AsyncGenerator<Uint8Array, void, undefined> {
  try {
    yield* source;
  } catch (error) {
    onError(error);
  }
}
