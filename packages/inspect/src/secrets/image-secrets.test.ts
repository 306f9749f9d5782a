import { parseImageConfig, toByteString } from '@boxwright/oci';
import { describe, expect, it } from 'vitest';
import { dockerInspect, inspectForms } from '../info/index.ts';
import { realImage, realImages } from '../page/testing/real-image.ts';
import { imageSecrets } from './image-secrets.ts';
import { redactConfig } from './redact-config.ts';
import { SecretFileFinder } from './secret-files.ts';
import { secretText } from './secret-finding.ts';
import { harmlessRows } from './testing/harmless-rows.ts';

const token = ['ghp_', 'aB3dE5gH1jK2mN4pQ6rS7tU8vW9xY0zA1bC2'].join('');

const leaky = parseImageConfig(
  Buffer.from(
    JSON.stringify({
      architecture: 'amd64',
      os: 'linux',
      author: `me ${token}`,
      config: {
        Env: ['PATH=/bin', 'DB_PASSWORD=two words', 'DB_USER=postgres', 'PGPASSWORD=postgres'],
        Cmd: ['app', '--api-key', 'hunter2', 'postgres'],
        Labels: JSON.parse('{"com.example.token":"s3cr3t-label","__proto__":"x"}'),
        Healthcheck: { Test: ['CMD-SHELL', `curl -H "X: ${token}"`] },
        OnBuild: ['ENV X_TOKEN=s3cr3t-label'],
      },
      container_config: { Env: ['DB_PASSWORD=two words'] },
      rootfs: { type: 'layers', diff_ids: [] },
      history: [
        { created_by: 'ARG NPM_KEY_TOKEN=q1w2e3r4', empty_layer: true },
        {
          created_by: 'RUN |1 NPM_KEY_TOKEN=q1w2e3r4 /bin/sh -c npm ci --x q1w2e3r4 # buildkit',
          comment: 'buildkit.dockerfile.v0',
        },
        { created_by: 'ENV DB_PASSWORD=two words DB_USER=postgres', empty_layer: true },
        { created_by: 'RUN /bin/sh -c apt-get install postgres # buildkit', comment: `by ${token}` },
        { created_by: `RUN /bin/sh -c git clone https://x:${token}@github.com/a/b # buildkit` },
      ],
    }),
  ),
);

describe('imageSecrets', () => {
  it('flags what it finds with place, row and kind', () => {
    expect(imageSecrets(leaky).findings).toEqual([
      { kind: 'token', place: 'history', entry: 0, name: 'NPM_KEY_TOKEN' },
      { kind: 'token', place: 'history', entry: 1, name: 'NPM_KEY_TOKEN' },
      { kind: 'password', place: 'history', entry: 2, name: 'DB_PASSWORD' },
      { kind: 'github-token', place: 'history', entry: 4 },
      { kind: 'password', place: 'environment', name: 'DB_PASSWORD' },
      { kind: 'password', place: 'environment', name: 'PGPASSWORD' },
      { kind: 'token', place: 'label', name: 'com.example.token' },
      { kind: 'key', place: 'command', name: 'Cmd' },
      { kind: 'github-token', place: 'command', name: 'Healthcheck' },
      { kind: 'token', place: 'command', name: 'OnBuild' },
    ]);
    for (const finding of imageSecrets(leaky).findings) {
      expect(secretText(finding).en).toMatch(/seems to/);
      expect(JSON.stringify(finding)).not.toMatch(/ghp_|two words|q1w2|hunter2/);
    }
  });

  it.each(realImages)('finds nothing in %s', (name) => {
    const { config } = realImage(name);
    expect(imageSecrets(config).findings).toEqual([]);
    expect(redactConfig(config)).toEqual(config);
  });

  it('finds nothing in rows of well-known images', () => {
    const config = { ...leaky, config: realImage('prefect').config.config };
    const history = harmlessRows.map((createdBy) => ({ createdBy }));
    expect(imageSecrets({ ...config, history }).findings).toEqual([]);
  });

  it('stays quick with a history as long as can be', () => {
    const history = Array.from({ length: 100_000 }, (_, index) => ({
      createdBy: `ENV A${index}_PASSWORD=s3cr3t-${index}`,
    }));
    const start = performance.now();
    expect(imageSecrets({ ...leaky, history }).findings.length).toBeGreaterThan(100_000);
    expect(performance.now() - start).toBeLessThan(20_000);
  }, 60_000);
});

describe('redactConfig', () => {
  it('takes secrets out of every text and leaves all else', () => {
    const redacted = redactConfig(leaky);
    expect(redacted.raw).toBe(leaky.raw);
    expect(redacted.config).toMatchObject({
      Env: ['PATH=/bin', 'DB_PASSWORD=******', 'DB_USER=postgres', 'PGPASSWORD=******'],
      Cmd: ['app', '--api-key', '******', 'postgres'],
      Labels: new Map([
        ['com.example.token', '******'],
        ['__proto__', 'x'],
      ]),
    });
    expect(redacted.history.map((entry) => entry.createdBy)).toEqual([
      'ARG NPM_KEY_TOKEN=******',
      'RUN |1 NPM_KEY_TOKEN=****** /bin/sh -c npm ci --x ****** # buildkit',
      'ENV DB_PASSWORD=****** DB_USER=postgres',
      'RUN /bin/sh -c apt-get install postgres # buildkit',
      'RUN /bin/sh -c git clone https://x:******@github.com/a/b # buildkit',
    ]);
    for (const form of inspectForms) {
      const shown = dockerInspect(
        {
          id: 'sha256:00',
          config: redacted,
          descriptor: { mediaType: '', digest: 'sha256:00', size: 0 },
          repoTags: [],
          repoDigests: [],
        } as unknown as Parameters<typeof dockerInspect>[0], // only texts matter here
        form,
      );
      expect(JSON.stringify(shown)).not.toMatch(/ghp_|two words|q1w2|hunter2|s3cr3t/);
    }
  });
});

describe('SecretFileFinder', () => {
  function found(...paths: string[]): readonly string[] {
    const finder = new SecretFileFinder();
    for (const path of paths) {
      finder.add({ path: toByteString(path), type: 'file', mode: 0o600, uid: 0, gid: 0, size: 10, mtimeNs: 0n });
    }
    return finder.files.map((file) => file.path);
  }

  it('names files that hold secrets where they are used', () => {
    const paths = [
      'root/.ssh/id_rsa',
      'home/app/.aws/credentials',
      'root/.docker/config.json',
      'root/.npmrc',
      'etc/ssh/ssh_host_ed25519_key',
      'app/.env',
      'home/x/.git-credentials',
    ];
    expect(found(...paths)).toEqual(paths.map((path) => `/${path}`).sort());
    expect(found('./root/.ssh/id_rsa', '/root/.ssh/id_rsa')).toEqual(['/root/.ssh/id_rsa']);
  });

  it('leaves look-alikes alone', () => {
    const paths = [
      'root/.ssh/id_rsa.pub',
      'root/.ssh/known_hosts',
      'etc/ssh/ssh_host_rsa_key.pub',
      'etc/ssl/private/ssl-cert-snakeoil.key',
      'usr/lib/python3/dist-packages/x/.env',
      'app/node_modules/y/.npmrc',
      'app/node_modules/y/test/id_rsa',
      'app/.env.example',
      'app/.npmrc',
      'usr/share/doc/ssh/examples/id_rsa',
    ];
    expect(found(...paths)).toEqual([]);
  });
});
