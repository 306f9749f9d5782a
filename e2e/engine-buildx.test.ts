import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { findProblems } from '../packages/oci/src/registry/testing/index.ts';
import { buildkitSocket } from './components/buildkit-socket.ts';
import { dockerOk, type StartedEngine, startOwnEngine } from './components/docker-engine.ts';
import { missingDockerRegistry, REGISTRY_USER } from './components/docker-registry.ts';
import { temporaryOf } from './support/boxwright.ts';
import { type DockerUser, dockerUser } from './support/docker-user.ts';
import { expectError } from './support/expect-error.ts';
import { eventually, processesMentioning } from './support/leftovers.ts';
import { dockerRegistry } from './support/registries.ts';
import { baseArchive, missingBases } from './support/scene.ts';
import { sshAgent } from './support/ssh-agent.ts';
import { basicAuth, writeDockerConfig } from './support/user.ts';

const given = inject('engine');
/** An engine that was there before keeps its images as it was told to. */
const canStart = missingBases() === undefined && 'value' in given && given.value.prefix.length > 0;
const hasRegistry = (await missingDockerRegistry()) === undefined;
const workDirectory = inject('workDirectory');
const directory = join(workDirectory, 'store');
const authorization = basicAuth(REGISTRY_USER.name, REGISTRY_USER.password);

/** Builders by name: the engine's own, and one that is reached as BuildKit somewhere else is. */
const builders = ['default', 'remote'] as const;

describe.skipIf(!canStart)("an engine with containerd's image store, and a remote builder", () => {
  let engine: StartedEngine;
  beforeAll(async () => {
    const state = join(directory, 'dockerd');
    engine = await startOwnEngine({ workDirectory, state, args: ['--feature=containerd-snapshotter=true'] });
    await dockerOk(engine.access, ['load', '--quiet'], { input: readFileSync(baseArchive('busybox')) });
    await buildkitSocket(join(state, 'docker.sock'), join(directory, 'buildkitd.sock'), (run) => afterAll(run));
  });
  afterAll(async () => {
    await engine.stop();
    rmSync(directory, { recursive: true, force: true });
  });

  async function userOf(builder: (typeof builders)[number] = 'default'): Promise<DockerUser> {
    const user = dockerUser(engine.access);
    const socket = `unix://${directory}/buildkitd.sock`;
    if (builder === 'remote') await user.docker(['buildx', 'create', '--name', builder, '--driver', 'remote', socket]);
    return user;
  }

  function context(user: DockerUser, dockerfile: string): string {
    const place = join(user.directory, 'context');
    mkdirSync(place, { recursive: true });
    writeFileSync(join(place, 'Dockerfile'), dockerfile);
    return place;
  }

  it.each([
    ['docker', ['--engine', 'docker'], {}],
    ['the classic builder', ['--engine', 'docker'], { DOCKER_BUILDKIT: '0' }],
    ['buildx', ['--engine', 'buildx'], {}],
    ['a remote builder', ['--engine', 'buildx', '--builder', 'remote'], {}],
  ])('%s: names the image as the engine does, and its manifest', async (_name, args, variables) => {
    const user = await userOf('remote');
    const [metadata, out, archive] = ['metadata', 'out', 'a.tar'].map((name) => join(user.directory, name));
    const place = context(user, 'FROM e2e/busybox:1\nCOPY Dockerfile /\nRUN cp Dockerfile /copy\n');
    const build = ['build', ...args, '--quiet', '--network=none', '-t', 'kept:1', place];
    const env = { ...user.env, ...variables };
    const { stdout } = await user.runOk([...build, '--metadata-file', metadata ?? ''], { env });
    const imageId = stdout.toString().trim();
    const format = '{{.Id}} {{.Descriptor.digest}}';
    const kept = await user.docker(['image', 'inspect', '--format', format, imageId]);
    expect(kept.stdout.toString()).toBe(`${imageId} ${imageId}\n`);
    const written: Readonly<Record<string, unknown>> = JSON.parse(readFileSync(metadata ?? '', 'utf8'));
    expect(written['containerimage.digest']).toBe(imageId);
    expect(written['containerimage.config.digest']).not.toBe(imageId);
    for (const output of [out ?? '', `type=docker,dest=${archive}`]) {
      await user.runOk([...build, '--output', output], { env });
    }
    expect(readFileSync(join(out ?? '', 'copy'), 'utf8')).toMatch(/^FROM/);
    const copied = await user.runOk(['copy', '--quiet', `docker-archive:${archive}`, 'docker-daemon:kept:2'], { env });
    expect(copied.code).toBe(0);
  });

  it.each(builders)('%s: has SSH agents and secrets while a command runs, and nowhere else', async (builder) => {
    const user = await userOf(builder);
    const agent = await sshAgent(join(user.directory, 'agent.sock'));
    const place = context(
      user,
      `FROM e2e/busybox:1
COPY root /
RUN --mount=type=ssh ssh-add -l > /keys
RUN --mount=type=ssh,id=other ssh-add -l > /others || echo nobody > /others
RUN --mount=type=secret,id=file --mount=type=secret,id=variable,env=VARIABLE \\
  sha256sum < /run/secrets/file > /sums; echo -n "$VARIABLE" | sha256sum >> /sums
`,
    );
    copyWithLibraries('ssh-add', join(place, 'root'));
    writeFileSync(join(user.directory, 'secret'), 'hush-file');
    const env = { ...user.env, SSH_AUTH_SOCK: agent.socket, HUSH: 'hush-variable' };
    const names = builder === 'default' ? ['docker', 'buildx'] : ['buildx'];
    for (const name of names) {
      const out = join(user.directory, `out-${name}`);
      const secrets = [`id=file,src=${user.directory}/secret`, 'id=variable,env=HUSH'];
      const result = await user.runOk(
        [
          ...['build', '--engine', name, ...(builder === 'remote' ? ['--builder', builder] : []), '--no-cache'],
          ...['--progress=plain', '--network=none', '--ssh=default', ...secrets.map((one) => `--secret=${one}`)],
          ...['--output', out, place],
        ],
        { env },
      );
      expect(readFileSync(join(out, 'keys'), 'utf8')).toContain(agent.fingerprint);
      expect(readFileSync(join(out, 'others'), 'utf8')).toContain('nobody');
      const sums = ['hush-file', 'hush-variable'].map((text) => execFileSync('sha256sum', { input: text }).toString());
      expect(readFileSync(join(out, 'sums'), 'utf8')).toBe(sums.join(''));
      expect(result.stderr).not.toMatch(/hush-(?:file|variable)/);
      expect(readdirSync(temporaryOf(user.store))).toEqual([]);
    }
  });

  it('says before the build that there is no agent, or no cache that it could read', async () => {
    const user = await userOf();
    const place = context(user, 'FROM e2e/busybox:1\nRUN --mount=type=ssh true\n');
    for (const name of ['docker', 'buildx']) {
      const build = ['build', '--engine', name, place];
      expectError(await user.run([...build, '--ssh=default']), /^SSH_AGENT_NOT_FOUND$/, /SSH_AUTH_SOCK is not set/);
      expectError(await user.run([...build, '--ssh=a=/none']), /^SSH_AGENT_NOT_FOUND$/, /no \/none/);
    }
    const build = ['build', '--engine', 'docker', place];
    expectError(await user.run([...build, `--ssh=a=${place}/Dockerfile`]), /^ENGINE_UNSUPPORTED$/, /ssh-add/);
    expectError(await user.run([...build, '--cache-from=type=local,src=/c']), /^ENGINE_UNSUPPORTED$/, /buildx/);
  });

  it.each(builders)('%s: errors look as everywhere', async (builder) => {
    const user = await userOf(builder);
    const build = ['build', '--engine', 'buildx', '--builder', builder, '--network=none'];
    const fails = context(user, 'FROM e2e/busybox:1\nRUN echo last words; exit 7\n');
    const failed = await user.run([...build, fails]);
    // Below the progress it stands as BuildKit writes it.
    const stderr = failed.stderr.replace(/^ERROR:/m, 'error:');
    expectError({ ...failed, stderr }, /^RUN_FAILED$/, /last words/, /exit code: 7/, /Dockerfile:2/);
    const unknown = await user.run(['build', '--engine', 'buildx', '--builder=nobody', fails]);
    expectError(unknown, /^ENGINE_BUILD_FAILED$/, /no builder "nobody"/, /docker buildx ls/);
    const fine = context(user, 'FROM e2e/busybox:1\nCOPY Dockerfile /\n');
    const full = await user.run([...build, '--output=type=docker,dest=/dev/full', fine]);
    expectError(
      { ...full, stderr: full.stderr.replace(/^ERROR:/m, 'error:') },
      /^ENGINE_BUILD_FAILED$/,
      /no space left on device/,
    );
    expect(full.stderr).not.toMatch(/try \d of/);
  });

  it.each([
    ['docker', ['--engine', 'docker'], {}],
    ['the classic builder', ['--engine', 'docker'], { DOCKER_BUILDKIT: '0' }],
    ['buildx', ['--engine', 'buildx'], {}],
    ['a remote builder', ['--engine', 'buildx', '--builder', 'remote'], {}],
  ])('%s: an interrupt ends the build there, too', async (_name, args, variables) => {
    const user = await userOf('remote');
    // As a container's process: it is seen from here.
    const mark = `9${Math.floor(Math.random() * 1e6)}`;
    const place = context(user, `FROM e2e/busybox:1\nRUN echo beg""un; sleep ${mark}\n`);
    const build = ['build', ...args, '--network=none', '--no-cache', '--progress=plain', place];
    const result = await user.run(build, {
      env: { ...user.env, ...variables },
      onStart: (child) => {
        let text = '';
        child.stderr?.on('data', (chunk: Buffer) => {
          if (text.includes('begun')) return;
          text += chunk.toString();
          if (text.includes('begun')) child.kill('SIGINT');
        });
      },
    });
    expect(result.signal ?? result.code).toBe(130);
    expect(result.stderr).toMatch(/interrupted \[INTERRUPTED\]/);
    expect(await eventually(() => processesMentioning(`sleep ${mark}`).length === 0)).toBe(true);
    expect(processesMentioning(user.directory)).toEqual([]);
    expect(readdirSync(temporaryOf(user.store))).toEqual([]);
  });

  describe.skipIf(!hasRegistry)('with a registry that wants a login', () => {
    it.each(builders)('%s: pushes an image of several platforms', async (builder) => {
      const { host, url } = await dockerRegistry({ auth: { kind: 'htpasswd' } });
      const user = await userOf(builder);
      const place = context(user, 'FROM scratch\nARG TARGETARCH\nCOPY Dockerfile /for-$TARGETARCH\n');
      const name = `${host}/team/app:1`;
      const metadata = join(user.directory, 'metadata');
      const platforms = ['--platform=linux/amd64,linux/arm64', '--metadata-file', metadata];
      const build = ['build', '--engine', 'buildx', '--builder', builder, ...platforms, '--push', '-t', name, place];
      expectError(await user.run([...build, '--quiet']), /^ENGINE_BUILD_FAILED$/, /log in/);
      writeDockerConfig(user, { auths: { [host]: { auth: authorization } } });
      const { stdout } = await user.runOk(build);
      expect(await findProblems(url, 'team/app', '1', { authorization: `Basic ${authorization}` })).toEqual([]);
      const accept =
        'application/vnd.docker.distribution.manifest.list.v2+json, application/vnd.oci.image.index.v1+json';
      const headers = { accept, authorization: `Basic ${authorization}` };
      expect(await (await fetch(`${url}/v2/team/app/manifests/1`, { headers })).json()).toMatchObject({
        manifests: [{ platform: { architecture: 'amd64' } }, { platform: { architecture: 'arm64' } }],
      });
      expect(JSON.parse(readFileSync(metadata, 'utf8'))).toMatchObject({
        'containerimage.digest': stdout.toString().trim(),
      });
    });

    it.each(builders)('%s: keeps steps in a registry and in a directory, and finds them again', async (builder) => {
      const { host } = await dockerRegistry({ auth: { kind: 'htpasswd' } });
      const user = await userOf(builder);
      writeDockerConfig(user, { auths: { [host]: { auth: authorization } } });
      const place = context(user, `FROM e2e/busybox:1\nRUN echo ${host} > /made\n`);
      const build = ['build', '--engine', 'buildx', '--builder', builder, '--network=none', '--progress=plain', place];
      const cache = join(user.directory, 'cache');
      const image = `${host}/team/cache:1`;
      await user.runOk([...build, `--cache-to=type=registry,ref=${image},mode=max`]);
      await user.runOk([...build, `--cache-to=type=local,dest=${cache},mode=max`]);
      const sources: readonly (readonly [string, readonly string[]])[] = [
        ['buildx', [`--builder=${builder}`, `--cache-from=type=registry,ref=${image}`]],
        ['buildx', [`--builder=${builder}`, `--cache-from=type=local,src=${cache}`]],
        ...(builder === 'default' ? [['docker', [`--cache-from=type=registry,ref=${image}`]] as const] : []),
      ];
      for (const [name, flags] of sources) {
        await user.docker(['buildx', 'prune', '--all', '--force', '--builder', builder]);
        const again = ['build', '--engine', name, ...flags, '--network=none', '--progress=plain', place];
        const { stderr } = await user.runOk(again);
        const step = /^#(\d+) \[2\/2\] RUN/m.exec(stderr)?.[1];
        expect(stderr).toMatch(new RegExp(`^#${step} CACHED`, 'm'));
      }
    });
  });
});

/** A program of this machine with what it is linked with. */
function copyWithLibraries(program: string, root: string): void {
  const path = execFileSync('sh', ['-c', 'command -v "$1"', 'sh', program]).toString().trim();
  const libraries = execFileSync('ldd', [path]).toString().match(/\/\S+/g) ?? [];
  for (const file of [path, ...libraries]) {
    mkdirSync(dirname(join(root, file)), { recursive: true });
    copyFileSync(file, join(root, file));
  }
}

describe('a builder that only buildx knows', () => {
  it('is given what was asked for, word by word', async () => {
    const user = dockerUser({ prefix: [], env: {}, version: '' });
    const bin = join(user.directory, 'fake');
    mkdirSync(bin);
    const script = `#!/bin/sh
printf '%s\\n' "$@" > '${user.directory}/words'
env > '${user.directory}/environment'
for word; do case $word in --metadata-file=*) metadata=\${word#*=};; esac; done
digest=sha256:$(printf x | sha256sum | cut -c1-64)
printf '{"containerimage.digest":"%s"}' "$digest" > "$metadata"
echo '{"vertexes":[{"digest":"sha256:a","name":"[1/1] FROM scratch","started":"2026-01-01T00:00:00Z"}]}' >&2
`;
    execFileSync('sh', ['-c', 'cat > "$1" && chmod 755 "$1"', 'sh', join(bin, 'docker')], { input: script });
    const place = join(user.directory, 'a context');
    mkdirSync(place);
    writeFileSync(join(place, 'Dockerfile'), 'FROM scratch\n');
    const env = { ...user.env, PATH: `${bin}:${process.env['PATH']}`, KUBECONFIG: '/k', TOKEN: 't' };
    const { stdout } = await user.runOk(
      [
        ...['build', '--engine', 'buildx', '--builder=kube', '--platform=linux/amd64,linux/arm64', '--push'],
        ...['--tag=registry.example/app:1', '--cache-from=type=s3,region=r', '--cache-to=type=s3,region=r,mode=max'],
        ...['--secret=id=t,env=TOKEN', '--allow=network.host', '--provenance=mode=max', '--sbom', '--attest=type=x'],
        ...['--build-arg=A=$(touch /x)', '--label=a=b c', '--annotation=k=v', '--add-host=h:10.0.0.1', '--target=t'],
        ...['--no-cache-filter=one,two', '--pull', '--network=host', '--build-context=src=docker-image://a:1', place],
      ],
      { env },
    );
    expect(stdout.toString()).toMatch(/^sha256:[0-9a-f]{64}\n$/);
    const words = readFileSync(join(user.directory, 'words'), 'utf8').trimEnd().split('\n');
    // A secret is read here, once, and given as a file that is gone by now.
    expect(words.map((word) => word.replace(/\/[^,]*boxwright-buildx-[^/]*/, ''))).toEqual([
      ...[
        'buildx',
        'build',
        '--progress=rawjson',
        '--metadata-file=/metadata.json',
        '--builder=kube',
        `--file=${place}/Dockerfile`,
      ],
      ...['--tag=registry.example/app:1', '--target=t', '--platform=linux/amd64,linux/arm64'],
      ...['--build-arg=A=$(touch /x)', '--label=a=b c', '--annotation=k=v'],
      ...['--no-cache-filter=one', '--no-cache-filter=two', '--pull', '--secret=id=t,src=/secret-0'],
      ...['--build-context=src=docker-image://a:1', '--network=host', '--add-host=h:10.0.0.1'],
      ...['--cache-from=type=s3,region=r', '--cache-to=type=s3,region=r,mode=max'],
      ...['--provenance=mode=max', '--sbom=true', '--attest=type=x', '--allow=network.host', '--push', '--', place],
    ]);
    const environment = readFileSync(join(user.directory, 'environment'), 'utf8');
    expect(environment).toMatch(/^KUBECONFIG=\/k$/m);
    expect(environment).not.toMatch(/^BUILDX_NO_DEFAULT_ATTESTATIONS=/m);
  });
});
