import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, it, onTestFinished } from 'vitest';
import { TestAuthority } from '../packages/oci/src/registry/testing/index.ts';
import { dockerOk, type StartedEngine, startOwnEngine } from './components/docker-engine.ts';
import { type DockerUser, dockerUser } from './support/docker-user.ts';
import { expectError } from './support/expect-error.ts';
import { freePort } from './support/free-port.ts';
import { baseArchive } from './support/scene.ts';
import type { User } from './support/user.ts';

const bases = inject('bases');
const given = inject('engine');
/** An engine that was there before speaks as it was told to. */
const canStart = 'value' in bases && 'value' in given && given.value.prefix.length > 0;
const workDirectory = inject('workDirectory');
const directory = join(workDirectory, 'tls');
const certificates = join(directory, 'certificates');
const authority = new TestAuthority();
const stranger = new TestAuthority('somebody else');
let engine: StartedEngine;
let port: number;

/** A directory as DOCKER_CERT_PATH names it. */
function writeCertificates(name: string, files: Readonly<Record<string, string | undefined>>): string {
  const path = join(directory, name);
  mkdirSync(path, { recursive: true });
  for (const [file, text] of Object.entries(files)) if (text !== undefined) writeFileSync(join(path, file), text);
  return path;
}

describe.skipIf(!canStart)('a Docker Engine behind TLS', () => {
  beforeAll(async () => {
    const server = authority.issue({ name: 'engine', hosts: ['127.0.0.1'] });
    const client = authority.issue({ name: 'client' });
    writeCertificates('certificates', { 'ca.pem': authority.ca, 'cert.pem': client.cert, 'key.pem': client.key });
    const own = writeCertificates('server', { 'ca.pem': authority.ca, 'cert.pem': server.cert, 'key.pem': server.key });
    port = await freePort();
    engine = await startOwnEngine({
      workDirectory,
      state: join(directory, 'dockerd'),
      args: [
        '--tlsverify',
        `--tlscacert=${own}/ca.pem`,
        `--tlscert=${own}/cert.pem`,
        `--tlskey=${own}/key.pem`,
        `--host=tcp://127.0.0.1:${port}`,
      ],
    });
    await dockerOk(engine.access, ['load', '--quiet'], { input: readFileSync(baseArchive('busybox')) });
  });
  afterAll(async () => {
    await engine.stop();
    rmSync(directory, { recursive: true, force: true });
  });

  /** Somebody with the docker command, and no engine chosen yet. */
  function userOf(variables: Readonly<Record<string, string>> = {}): DockerUser {
    return dockerUser({ ...engine.access, env: {} }, variables);
  }

  function context(user: User): string {
    const place = join(user.directory, 'context');
    mkdirSync(place);
    writeFileSync(join(place, 'Dockerfile'), 'FROM e2e/busybox:1\nCOPY Dockerfile /\nRUN cat Dockerfile >/copy\n');
    return place;
  }

  async function buildsAndCopies(user: User): Promise<void> {
    const place = context(user);
    for (const name of ['docker', 'buildx']) {
      const { stdout } = await user.runOk(['build', '--quiet', '--engine', name, '--network=none', '-t', 'tls', place]);
      expect(stdout.toString()).toMatch(/^sha256:[0-9a-f]{64}\n$/);
    }
    const copied = join(user.directory, 'copied.tar');
    await user.runOk(['copy', '--quiet', 'docker-daemon:tls:latest', `docker-archive:${copied}:tls:1`]);
    await user.runOk(['copy', '--quiet', `docker-archive:${copied}`, 'docker-daemon:tls:2']);
  }

  it('is spoken to with the certificates of DOCKER_CERT_PATH, or those beside the Docker config', async () => {
    const tls = { DOCKER_HOST: `tcp://127.0.0.1:${port}`, DOCKER_TLS_VERIFY: '1' };
    await buildsAndCopies(userOf({ ...tls, DOCKER_CERT_PATH: certificates }));
    const user = userOf(tls);
    cpSync(certificates, join(user.directory, '.docker'), { recursive: true });
    await user.runOk(['build', '--quiet', '--engine', 'docker', '--network=none', context(user)]);
  });

  it('is found by a Docker context that holds certificates, chosen by name or as the current one', async () => {
    const user = userOf();
    const files = ['ca', 'cert', 'key'].map((name) => `${name}=${certificates}/${name}.pem`).join(',');
    await user.docker(['context', 'create', 'far', '--docker', `host=tcp://127.0.0.1:${port},${files}`]);
    const near = `host=unix://${directory}/dockerd/docker.sock`;
    await user.docker(['context', 'create', 'near', '--docker', near]);
    const place = context(user);
    for (const name of ['far', 'near']) {
      const env = { ...user.env, DOCKER_CONTEXT: name };
      await user.runOk(['build', '--quiet', '--engine', 'docker', '--network=none', place], { env });
    }
    await user.docker(['context', 'use', 'far']);
    rmSync(place, { recursive: true });
    await buildsAndCopies(user);
    const nowhere = { ...user.env, DOCKER_CONTEXT: 'nowhere' };
    expectError(
      await user.run(['copy', 'docker-daemon:tls:latest', 'docker-archive:x.tar'], { env: nowhere }),
      /^ENGINE_ADDRESS_INVALID$/,
      /no Docker context "nowhere"/,
    );
    const none = await user.run(['build', '--engine', 'buildx', join(user.directory, 'context')], { env: nowhere });
    expectError(none, /^ENGINE_BUILD_FAILED$/, /no builder "nowhere"/, /docker context ls/);
  });

  it('skips verification only where a context or an absent DOCKER_TLS_VERIFY says so', async () => {
    const user = userOf();
    const files = `skip-tls-verify=true,cert=${certificates}/cert.pem,key=${certificates}/key.pem`;
    await user.docker(['context', 'create', 'skip', '--docker', `host=tcp://127.0.0.1:${port},${files}`]);
    const build = ['build', '--quiet', '--engine', 'docker', '--network=none', context(user)];
    await user.runOk(build, { env: { ...user.env, DOCKER_CONTEXT: 'skip' } });
    const client = authority.issue({ name: 'client' });
    const path = writeCertificates('lax', { 'cert.pem': client.cert, 'key.pem': client.key });
    const env = { ...user.env, DOCKER_HOST: `tcp://127.0.0.1:${port}`, DOCKER_CERT_PATH: path };
    await user.runOk(build, { env });
  });

  describe('that does not trust us, or we it', () => {
    const ours = authority.issue({ name: 'client' });
    const theirs = stranger.issue({ name: 'client' });
    const good = { 'ca.pem': authority.ca, 'cert.pem': ours.cert, 'key.pem': ours.key };
    const wrong: readonly (readonly [string, Readonly<Record<string, string | undefined>>, RegExp, RegExp])[] = [
      ['an authority that is not its own', { ...good, 'ca.pem': stranger.ca }, /ENGINE_TLS/, /authority/],
      ['no certificate of ours', { 'ca.pem': authority.ca }, /ENGINE_TLS/, /certificate required|wants one/],
      [
        "a stranger's certificate",
        { ...good, 'cert.pem': theirs.cert, 'key.pem': theirs.key },
        /ENGINE_TLS/,
        /certificate/,
      ],
      ['a key of another certificate', { ...good, 'key.pem': theirs.key }, /ENGINE_TLS/, /key/],
      ['a file that is no key', { ...good, 'key.pem': 'nothing' }, /ENGINE_TLS/, /key\.pem/],
      ['no authority', { ...good, 'ca.pem': undefined }, /ENGINE_ADDRESS_INVALID/, /ca\.pem/],
    ];
    it.each(wrong)('%s', async (name, files, code, says) => {
      const path = writeCertificates(name.replaceAll(/\W+/g, '-'), files);
      const env = { DOCKER_HOST: `tcp://127.0.0.1:${port}`, DOCKER_TLS_VERIFY: '1', DOCKER_CERT_PATH: path };
      const user = userOf(env);
      const place = context(user);
      expectError(await user.run(['build', '--engine', 'docker', place]), code, says, path);
      expectError(await user.run(['copy', 'docker-daemon:tls', 'docker-archive:x.tar']), code, says);
      expectError(await user.run(['build', '--engine', 'buildx', place]), code, /certificate|key|DOCKER_CERT_PATH/);
    });

    it('says who speaks TLS and who does not', async () => {
      const user = userOf({ DOCKER_HOST: `tcp://127.0.0.1:${port}` });
      const place = context(user);
      for (const name of ['docker', 'buildx']) {
        const plain = await user.run(['build', '--engine', name, place]);
        expectError(plain, /^ENGINE_TLS$/, /DOCKER_TLS_VERIFY=1/);
      }
      const server = createServer((socket) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'));
      onTestFinished(() => void server.close());
      await new Promise<void>((fulfil) => server.listen(0, '127.0.0.1', fulfil));
      const address = server.address();
      const host = `tcp://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`;
      const env = { ...user.env, DOCKER_HOST: host, DOCKER_TLS_VERIFY: '1', DOCKER_CERT_PATH: certificates };
      expectError(await user.run(['build', '--engine', 'docker', place], { env }), /^ENGINE_TLS$/, /plain HTTP/);
    });

    it('says that a certificate is for another name, and that ssh needs a tunnel', async () => {
      const tls = { DOCKER_TLS_VERIFY: '1', DOCKER_CERT_PATH: certificates };
      const user = userOf({ ...tls, DOCKER_HOST: `tcp://localhost:${port}` });
      const place = context(user);
      expectError(await user.run(['build', '--engine', 'docker', place]), /^ENGINE_TLS$/, /other names/, /localhost/);
      const env = { ...user.env, DOCKER_HOST: 'ssh://ann@far.example' };
      for (const args of [
        ['build', '--engine', 'docker', place],
        ['copy', 'docker-daemon:a', 'docker-archive:x'],
      ]) {
        expectError(await user.run(args, { env }), /^ENGINE_ADDRESS_INVALID$/, /ssh are not supported/, /ssh -nNT -L/);
      }
    });
  });
});
