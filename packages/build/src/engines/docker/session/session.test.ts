import { linkSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { parseIgnoreFile } from '@boxwright/dockerfile';
import { type CredentialStore, Secret } from '@boxwright/oci';
import { temporaryDirectories } from '@boxwright/testing';
import { describe, expect, it, onTestFinished } from 'vitest';
import { DirectoryTree } from '../../../source/directory-tree.ts';
import { bytesFields, numberField, readFields, textField, writeFields } from '../../solve/protobuf.ts';
import { answerOf, call, frame, grpcClient, open } from '../testing/grpc-client.ts';
import { fileSync } from './file-sync.ts';
import { authMethods, healthMethods, secretMethods, sshMethods } from './session-methods.ts';

const temporary = temporaryDirectories();
const sync = '/moby.filesync.v1.FileSync/DiffCopy';

/** What BuildKit would have after asking for a directory: paths with content, or what they are. */
async function fetched(
  tree: DirectoryTree,
  metadata: Readonly<Record<string, string | string[]>> = {},
): Promise<{ readonly files: Map<string, string>; readonly modes: Map<string, number>; readonly status: number }> {
  const client = await grpcClient(new Map([[sync, fileSync(new Map([['context', tree]]), () => {})]]));
  const stream = open(client, sync, { 'dir-name': 'context', ...metadata });
  const names: string[] = [];
  const files = new Map<string, string>();
  const modes = new Map<string, number>();
  let open_ = 0;
  let listed = false;
  const finish = (): void => {
    if (listed && open_ === 0) stream.end(frame(writeFields([[1, 3]])));
  };
  const { status } = await answerOf(stream, (message) => {
    const fields = readFields(message);
    const id = numberField(fields, 3);
    if (numberField(fields, 1) === 0) {
      const [stat] = bytesFields(fields, 2);
      if (stat === undefined) {
        listed = true;
        finish();
        return;
      }
      const entry = readFields(stat);
      const path = textField(entry, 1);
      const mode = numberField(entry, 2);
      const link = textField(entry, 7);
      modes.set(path, mode);
      files.set(path, link === '' ? '' : `→ ${link}`);
      names.push(path);
      if (mode < 2 ** 20 && link === '') {
        open_++;
        stream.write(
          frame(
            writeFields([
              [1, 1],
              [3, names.length - 1],
            ]),
          ),
        );
      }
    } else if (numberField(fields, 1) === 2) {
      const [data] = bytesFields(fields, 4);
      const path = names[id] ?? '';
      if (data === undefined) open_--;
      else files.set(path, (files.get(path) ?? '') + Buffer.from(data).toString());
      finish();
    }
  });
  return { files, modes, status };
}

function directory(): string {
  const root = temporary();
  mkdirSync(join(root, 'b/c'), { recursive: true });
  writeFileSync(join(root, 'a'), 'one', { mode: 0o644 });
  writeFileSync(join(root, 'b/c/d'), 'two', { mode: 0o755 });
  writeFileSync(join(root, 'b.txt'), 'x'.repeat(100_000));
  symlinkSync('a', join(root, 'link'));
  linkSync(join(root, 'a'), join(root, 'same'));
  return root;
}

describe('FileSync', () => {
  it('hands out a directory, parents first, in the order of names', async () => {
    const { files, modes, status } = await fetched(new DirectoryTree(directory(), undefined));
    expect(status).toBe(0);
    expect([...files]).toEqual([
      ['a', 'one'],
      ['b', ''],
      ['b/c', ''],
      ['b/c/d', 'two'],
      ['b.txt', 'x'.repeat(100_000)],
      ['link', '→ a'],
      ['same', '→ a'],
    ]);
    expect(modes.get('b')).toBe(2 ** 31 + 0o755);
    expect(modes.get('link')).toBe(2 ** 27 + 0o777);
    expect(modes.get('b/c/d')).toBe(0o755);
  });

  it('shows nothing that is ignored', async () => {
    const { files } = await fetched(new DirectoryTree(directory(), parseIgnoreFile('b*\n!b/c/d')));
    expect([...files.keys()]).toEqual(['a', 'b', 'b/c', 'b/c/d', 'link', 'same']);
  });

  it.each([
    [{ followpaths: 'a' }, ['a']],
    [{ followpaths: ['b/c', '.dockerignore'] }, ['b', 'b/c', 'b/c/d']],
    [{ followpaths: '.dockerignore' }, []],
    // Links and patterns may mean anything.
    [{ followpaths: 'link' }, ['a', 'b', 'b/c', 'b/c/d', 'b.txt', 'link', 'same']],
    [{ 'include-patterns': 'b*' }, ['a', 'b', 'b/c', 'b/c/d', 'b.txt', 'link', 'same']],
  ])('hands out what %j asks for', async (metadata, expected) => {
    const { files } = await fetched(new DirectoryTree(directory(), undefined), metadata);
    expect([...files.keys()]).toEqual(expected);
  });

  it('knows no other directory, and ends when a file has gone', async () => {
    const root = directory();
    const tree = new DirectoryTree(root, undefined);
    const client = await grpcClient(new Map([[sync, fileSync(new Map([['context', tree]]), () => {})]]));
    expect(await call(client, sync, [], { 'dir-name': '/etc' })).toMatchObject({ status: 5 });
    tree.list(tree.lookup('' as never)?.path ?? ('' as never));
    rmSync(join(root, 'a'));
    const request = writeFields([
      [1, 1],
      [3, 0],
    ]);
    const { status } = await call(client, sync, [request, writeFields([[1, 3]])], { 'dir-name': 'context' });
    expect(status).not.toBe(0);
  });
});

describe('a session', () => {
  const credentials: CredentialStore = {
    lookup: async ({ registry }) =>
      registry === 'docker.io'
        ? { credential: { kind: 'password', username: 'ann', password: new Secret('pw') }, origin: 'test' }
        : registry === 'token.example'
          ? { credential: { kind: 'identity-token', identityToken: new Secret('it') }, origin: 'test' }
          : undefined,
    explain: async () => ({ found: undefined, looked: [], files: [] }),
  };
  const secrets = [
    { id: 'v', source: { value: Buffer.from([0, 255]) } },
    { id: 'e', source: { env: 'E' } },
    { id: 'none', source: { env: 'NONE' } },
  ];

  it('answers for credentials by host', async () => {
    const client = await grpcClient(new Map(authMethods(credentials)));
    const ask = async (host: string): Promise<readonly string[]> => {
      const { messages } = await call(client, '/moby.filesync.v1.Auth/Credentials', [writeFields([[1, host]])]);
      const fields = readFields(messages[0] ?? Buffer.alloc(0));
      return [textField(fields, 1), textField(fields, 2)];
    };
    expect(await ask('registry-1.docker.io')).toEqual(['ann', 'pw']);
    expect(await ask('token.example')).toEqual(['', 'it']);
    expect(await ask('other.example')).toEqual(['', '']);
  });

  it('gives secrets by id, and says when there is none', async () => {
    const client = await grpcClient(new Map([...secretMethods(secrets, { E: 'env' }), ...healthMethods]));
    const path = '/moby.buildkit.secrets.v1.Secrets/GetSecret';
    const [v] = (await call(client, path, [writeFields([[1, 'v']])])).messages;
    expect(bytesFields(readFields(v ?? Buffer.alloc(0)), 1)[0]).toEqual(Buffer.from([0, 255]));
    const [e] = (await call(client, path, [writeFields([[1, 'e']])])).messages;
    expect(textField(readFields(e ?? Buffer.alloc(0)), 1)).toBe('env');
    expect(await call(client, path, [writeFields([[1, 'none']])])).toMatchObject({ status: 5 });
    expect(await call(client, path, [writeFields([[1, 'x']])])).toMatchObject({
      status: 5,
      text: 'secret x: not found',
    });
    expect(await call(client, '/a/b', [])).toMatchObject({ status: 12 });
    expect((await call(client, '/grpc.health.v1.Health/Check', [Buffer.alloc(0)])).messages[0]?.toString('hex')).toBe(
      '0801',
    );
  });

  it('pipes an SSH agent', async () => {
    const path = join(temporary(), 'agent');
    const agent = createServer((socket) => socket.on('data', (data) => socket.end(`>${data.toString()}`))).listen(path);
    onTestFinished(() => void agent.close());
    const client = await grpcClient(new Map(sshMethods(new Map([['default', path]]))));
    expect((await call(client, '/moby.sshforward.v1.SSH/CheckAgent', [writeFields([[1, 'other']])])).status).toBe(5);
    const forward = '/moby.sshforward.v1.SSH/ForwardAgent';
    const { messages, status } = await call(client, forward, [writeFields([[1, 'hello']])], {
      'buildkit.ssh.id': 'default',
    });
    expect(status).toBe(0);
    expect(messages.map((message) => textField(readFields(message), 1)).join('')).toBe('>hello');
  });
});
