import { once } from 'node:events';
import { rmSync } from 'node:fs';
import { type ClientHttp2Session, type ClientHttp2Stream, connect } from 'node:http2';
import { createServer, connect as dial } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { type GrpcMethod, serveGrpc } from '../session/grpc-server.ts';

/** How a call ended. */
export interface GrpcAnswer {
  readonly messages: readonly Buffer[];
  readonly status: number;
  readonly text: string;
}

/** The engine's side of a session, for one test: calls methods that are served on the other end of a socket. */
export async function grpcClient(methods: ReadonlyMap<string, GrpcMethod>): Promise<ClientHttp2Session> {
  const path = join(tmpdir(), `boxwright-grpc-${process.pid}-${Math.random().toString(36).slice(2)}`);
  const server = createServer((socket) => void serveGrpc(socket, methods)).listen(path);
  await once(server, 'listening');
  const socket = dial(path);
  const client = connect('http://session', { createConnection: () => socket });
  onTestFinished(() => {
    client.destroy();
    socket.destroy();
    server.close();
    rmSync(path, { force: true });
  });
  return client;
}

/** Opens a call; {@link frame} makes what is written to it. */
export function open(
  client: ClientHttp2Session,
  path: string,
  metadata: Readonly<Record<string, string | string[]>> = {},
): ClientHttp2Stream {
  return client.request({ ':method': 'POST', ':path': path, 'content-type': 'application/grpc', ...metadata });
}

/** A message with its length in front. */
export function frame(message: Uint8Array): Buffer {
  const head = Buffer.alloc(5);
  head.writeUInt32BE(message.length, 1);
  return Buffer.concat([head, message]);
}

/** Sends all messages and waits for the end of the call. */
export async function call(
  client: ClientHttp2Session,
  path: string,
  messages: readonly Uint8Array[],
  metadata?: Readonly<Record<string, string | string[]>>,
): Promise<GrpcAnswer> {
  const stream = open(client, path, metadata);
  for (const message of messages) stream.write(frame(message));
  stream.end();
  return await answerOf(stream);
}

/** Reads a call to its end. */
export async function answerOf(
  stream: ClientHttp2Stream,
  onMessage: (message: Buffer) => void = () => {},
): Promise<GrpcAnswer> {
  let status = -1;
  let text = '';
  stream.on('trailers', (trailers) => {
    status = Number(trailers['grpc-status']);
    text = decodeURIComponent(String(trailers['grpc-message'] ?? ''));
  });
  const messages: Buffer[] = [];
  let rest: Buffer = Buffer.alloc(0);
  stream.on('data', (chunk: Buffer) => {
    rest = Buffer.concat([rest, chunk]);
    for (let length = 0; rest.length >= 5; rest = rest.subarray(5 + length)) {
      length = rest.readUInt32BE(1);
      if (rest.length < 5 + length) break;
      const message = rest.subarray(5, 5 + length);
      messages.push(message);
      onMessage(message);
    }
  });
  await once(stream, 'close');
  return { messages, status, text };
}
