import { createHash, randomBytes } from 'node:crypto';
import { hostname } from 'node:os';
import { BoxwrightError, escapeForTerminal } from '@boxwright/errors';
import type { CredentialStore, EngineClient } from '@boxwright/oci';
import { toByteString } from '@boxwright/oci';
import type { BuildRequest } from '../../../engine/engine.ts';
import { DirectoryTree } from '../../../source/directory-tree.ts';
import { rootNode } from '../../../source/resolve.ts';
import type { SourceTree } from '../../../source/source-tree.ts';
import { sshSources } from '../../ssh-agents.ts';
import type { ContextFiles } from '../context-files.ts';
import type { DockerOptions } from '../docker-options.ts';
import { fileSync } from './file-sync.ts';
import { type GrpcMethod, serveGrpc } from './grpc-server.ts';
import { authMethods, healthMethods, secretMethods, sshMethods } from './session-methods.ts';

/** What BuildKit may ask for while it builds. */
export interface SessionContent {
  readonly request: BuildRequest;
  readonly options: DockerOptions;
  readonly files: ContextFiles;
  readonly credentials: CredentialStore;
}

/** A session that is open. */
export interface OpenedSession {
  readonly id: string;
  /** Path of the Dockerfile in it. */
  readonly dockerfile: string;
  close(): void;
}

/** The name of the one file of the Dockerfile's directory. */
const DOCKERFILE = 'Dockerfile';

/**
 * Opens a session of BuildKit (`POST /session`): the engine calls back on this connection for files, credentials and
 * secrets. A context of the same directory is remembered there, so that only what has changed is sent again.
 *
 * @throws BoxwrightError SSH_AGENT_NOT_FOUND, ENGINE_UNSUPPORTED, those of the client
 */
export async function openSession(client: EngineClient, content: SessionContent): Promise<OpenedSession> {
  const { request, options, files, credentials } = content;
  const id = randomBytes(12).toString('hex');
  const methods = new Map<string, GrpcMethod>([
    ...healthMethods,
    ...authMethods(credentials),
    ...secretMethods(request.secrets, options.env),
    ...sshMethods(agentsOf(options)),
    ['/moby.filesync.v1.FileSync/DiffCopy', fileSync(treesOf(files), () => {})],
  ]);
  const socket = await client.upgrade(
    {
      method: 'POST',
      path: '/session',
      headers: {
        'X-Docker-Expose-Session-Uuid': id,
        'X-Docker-Expose-Session-Name': 'boxwright',
        'X-Docker-Expose-Session-Sharedkey': sharedKey(files.contextDir),
        'X-Docker-Expose-Session-Grpc-Method': [...methods.keys()],
      },
      signal: request.signal,
    },
    'h2c',
  );
  const session = serveGrpc(socket, methods);
  return {
    id,
    dockerfile: DOCKERFILE,
    close: () => {
      session.destroy();
      socket.destroy();
    },
  };
}

/** @throws BoxwrightError SSH_AGENT_NOT_FOUND, ENGINE_UNSUPPORTED for a key in a file: that would need an agent of our own */
function agentsOf({ ssh = [], env }: DockerOptions): ReadonlyMap<string, string> {
  const { agents, keys } = sshSources(ssh, env);
  const [key] = keys;
  if (key === undefined) return agents;
  throw new BoxwrightError(
    'ENGINE_UNSUPPORTED',
    `--ssh ${escapeForTerminal(key)}: only agents are handed on, no files`,
    {
      hint: 'ssh-add the key to an agent, or build with the engine buildx',
    },
  );
}

function treesOf({ contextDir, ignore, dockerfileText }: ContextFiles): ReadonlyMap<string, SourceTree> {
  return new Map<string, SourceTree>([
    ['context', new DirectoryTree(contextDir, ignore, { xattrs: true })],
    ['dockerfile', oneFile(DOCKERFILE, dockerfileText)],
  ]);
}

/** Its time is now: a text of the same length must not be taken for the one that was sent before. */
function oneFile(name: string, data: Uint8Array): SourceTree {
  const path = toByteString(name);
  const mtimeNs = BigInt(Date.now()) * 1_000_000n + (process.hrtime.bigint() % 1_000_000n);
  const content = { kind: 'bytes', data } as const;
  const node = { path, type: 'file', mode: 0o644, uid: 0, gid: 0, size: data.length, mtimeNs, content } as const;
  return {
    lookup: (wanted) => (wanted === '' ? rootNode() : wanted === path ? node : undefined),
    list: (directory) => (directory === '' ? [node] : []),
  };
}

/** Equal for the same directory of the same machine. */
function sharedKey(contextDir: string): string {
  return createHash('sha256').update(`${hostname()}\0${contextDir}`).digest('hex');
}
