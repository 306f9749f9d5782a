import type { ServerHttp2Session, ServerHttp2Stream } from 'node:http2';
import type { Duplex } from 'node:stream';

/** Status codes of gRPC that are given here (grpc/doc/statuscodes.md). */
export const grpcStatus = { ok: 0, unknown: 2, notFound: 5, unimplemented: 12 } as const;

/** A failure that the caller is told with its code. */
export class GrpcError extends Error {
  readonly status: number;
  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

/** One call of a method. */
export interface GrpcCall {
  /** Metadata that the caller sent: `dir-name`, `include-patterns`. */
  readonly metadata: ReadonlyMap<string, readonly string[]>;
  /** Messages of the caller, until it has no more. */
  readonly messages: AsyncIterable<Buffer>;
  /** Sends a message; fulfilled when there is room for the next one. */
  readonly send: (message: Uint8Array) => Promise<void>;
}

export type GrpcMethod = (call: GrpcCall) => Promise<void>;

/** A method that takes one message and gives one. */
export function unary(answer: (request: Buffer) => Uint8Array | Promise<Uint8Array>): GrpcMethod {
  return async ({ messages, send }) => {
    for await (const message of messages) {
      await send(await answer(message));
      return;
    }
  };
}

/** Longest message that is read: BuildKit sends requests and names, no content. */
const MAX_MESSAGE = 16 << 20;

/**
 * Serves gRPC (grpc/doc/PROTOCOL-HTTP2.md) on a connection that is open already, with the other side as the client.
 * Methods are named `/package.Service/Method`.
 */
export function serveGrpc(socket: Duplex, methods: ReadonlyMap<string, GrpcMethod>): ServerHttp2Session {
  // Not imported: the command is one file, and most calls of it need no HTTP/2.
  const session = process.getBuiltinModule('node:http2').performServerHandshake(socket);
  session.on('stream', (stream, _headers, _flags, raw) => {
    // Without a listener a call that is taken back would end the process.
    stream.on('error', () => {});
    void answer(stream, metadataOf(raw), methods);
  });
  session.on('error', () => {});
  return session;
}

async function answer(
  stream: ServerHttp2Stream,
  metadata: ReadonlyMap<string, readonly string[]>,
  methods: ReadonlyMap<string, GrpcMethod>,
): Promise<void> {
  let result: { readonly status: number; readonly message: string };
  stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true });
  stream.once('wantTrailers', () => {
    if (stream.destroyed) return;
    stream.sendTrailers({
      'grpc-status': String(result.status),
      ...(result.message === '' ? {} : { 'grpc-message': encodeURIComponent(result.message) }),
    });
  });
  try {
    const method = methods.get(metadata.get(':path')?.[0] ?? '');
    if (method === undefined) throw new GrpcError(grpcStatus.unimplemented, 'no such method');
    await method({ metadata, messages: messagesOf(stream), send: (one) => send(stream, one) });
    result = { status: grpcStatus.ok, message: '' };
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    result = { status: error instanceof GrpcError ? error.status : grpcStatus.unknown, message };
  }
  if (stream.destroyed) return;
  stream.end();
  // What the caller still sends is of no use to anybody.
  stream.resume();
}

/** Names and values in turn: values that came several times must not be joined. */
function metadataOf(raw: readonly string[]): ReadonlyMap<string, readonly string[]> {
  const metadata = new Map<string, string[]>();
  for (let at = 0; at + 1 < raw.length; at += 2) {
    const name = raw[at] ?? '';
    const values = metadata.get(name) ?? [];
    values.push(raw[at + 1] ?? '');
    metadata.set(name, values);
  }
  return metadata;
}

/** Messages have a byte for compression, which is never asked for, and four for their length. */
async function* messagesOf(stream: ServerHttp2Stream): AsyncGenerator<Buffer, void, undefined> {
  let rest: Buffer = Buffer.alloc(0);
  // Whoever needs no more messages still has an answer to give.
  const chunks: AsyncIterable<Buffer> = stream.iterator({ destroyOnReturn: false });
  for await (const chunk of chunks) {
    rest = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    while (rest.length >= 5) {
      const length = rest.readUInt32BE(1);
      if (rest[0] !== 0 || length > MAX_MESSAGE) throw new GrpcError(grpcStatus.unimplemented, 'unreadable message');
      if (rest.length < 5 + length) break;
      yield rest.subarray(5, 5 + length);
      rest = rest.subarray(5 + length);
    }
  }
}

function send(stream: ServerHttp2Stream, message: Uint8Array): Promise<void> {
  if (stream.destroyed || stream.closed) {
    return Promise.reject(new GrpcError(grpcStatus.unknown, 'the call was ended'));
  }
  const frame = Buffer.allocUnsafe(5 + message.length);
  frame[0] = 0;
  frame.writeUInt32BE(message.length, 1);
  frame.set(message, 5);
  if (stream.write(frame)) return Promise.resolve();
  return new Promise((fulfil, reject) => {
    const done = (): void => {
      stream.off('drain', done).off('close', done);
      if (stream.destroyed) reject(new GrpcError(grpcStatus.unknown, 'the call was ended'));
      else fulfil();
    };
    stream.once('drain', done).once('close', done);
  });
}
