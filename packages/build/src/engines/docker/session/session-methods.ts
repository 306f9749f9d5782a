import { readFileSync } from 'node:fs';
import type { CredentialStore } from '@boxwright/oci';
import type { SecretSource } from '../../../engine/engine.ts';
import { readFields, textField, writeFields } from '../../solve/protobuf.ts';
import { type GrpcCall, GrpcError, type GrpcMethod, grpcStatus, unary } from './grpc-server.ts';

type Environment = Readonly<Record<string, string | undefined>>;
type Methods = readonly (readonly [path: string, method: GrpcMethod])[];

/** `grpc.health.v1.Health/Check`: BuildKit ends sessions that do not answer. */
export const healthMethods: Methods = [['/grpc.health.v1.Health/Check', unary(() => writeFields([[1, 1]]))]];

/** `moby.filesync.v1.Auth`: BuildKit asks for the credentials of each registry that it pulls from. */
export function authMethods(credentials: CredentialStore): Methods {
  const answer = unary(async (request) => {
    const host = textField(readFields(request), 1);
    const registry = host === 'registry-1.docker.io' ? 'docker.io' : host;
    const credential = (await credentials.lookup({ registry, path: '' }))?.credential;
    switch (credential?.kind) {
      case undefined:
      // Registry tokens are none that could be exchanged.
      case 'registry-token':
        return writeFields([]);
      case 'identity-token':
        return writeFields([[2, credential.identityToken.reveal()]]);
      case 'password':
        return writeFields([
          [1, credential.username],
          [2, credential.password.reveal()],
        ]);
      default:
        return credential satisfies never;
    }
  });
  return [['/moby.filesync.v1.Auth/Credentials', answer]];
}

/** Longest secret (Docker's limit). */
const MAX_SECRET = 500 * 1024;

/** `moby.buildkit.secrets.v1.Secrets`: a secret is read when a command mounts it. */
export function secretMethods(secrets: readonly SecretSource[], env: Environment): Methods {
  const answer = unary((request) => {
    const id = textField(readFields(request), 1);
    const found = secrets.find((secret) => secret.id === id);
    const data = found === undefined ? undefined : bytesOf(found.source, env);
    if (data === undefined) throw new GrpcError(grpcStatus.notFound, `secret ${id}: not found`);
    if (data.length > MAX_SECRET) throw new GrpcError(grpcStatus.unknown, `secret ${id} is larger than ${MAX_SECRET}`);
    return writeFields([[1, data]]);
  });
  return [['/moby.buildkit.secrets.v1.Secrets/GetSecret', answer]];
}

function bytesOf(source: SecretSource['source'], env: Environment): Uint8Array | undefined {
  if ('value' in source) return source.value;
  if ('file' in source) return readFileSync(source.file);
  const value = env[source.env];
  return value === undefined ? undefined : Buffer.from(value);
}

/** `moby.sshforward.v1.SSH`: agents by id, each a pipe of bytes. */
export function sshMethods(agents: ReadonlyMap<string, string>): Methods {
  if (agents.size === 0) return [];
  const socketOf = (id: string): string => {
    const socket = agents.get(id === '' ? 'default' : id);
    if (socket === undefined) throw new GrpcError(grpcStatus.notFound, `no SSH agent ${id}`);
    return socket;
  };
  const check = unary((request) => {
    socketOf(textField(readFields(request), 1));
    return writeFields([]);
  });
  const forward = (call: GrpcCall): Promise<void> =>
    pipe(call, socketOf(call.metadata.get('buildkit.ssh.id')?.[0] ?? ''));
  return [
    ['/moby.sshforward.v1.SSH/CheckAgent', check],
    ['/moby.sshforward.v1.SSH/ForwardAgent', forward],
  ];
}

async function pipe(call: GrpcCall, path: string): Promise<void> {
  const socket = process.getBuiltinModule('node:net').connect(path);
  const out = (async () => {
    for await (const chunk of socket) await call.send(writeFields([[1, chunk]]));
  })();
  const back = (async () => {
    for await (const message of call.messages) {
      const [, data] = readFields(message).find(([field]) => field === 1) ?? [];
      if (data instanceof Uint8Array) socket.write(data);
    }
    socket.end();
  })();
  try {
    await Promise.all([out, back]);
  } finally {
    socket.destroy();
  }
}
