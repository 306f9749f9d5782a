import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { findEngine, parseEngineHost } from './engine-address.ts';

let home: string;
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'engine-address-'));
});
afterEach(() => rmSync(home, { recursive: true }));

function writeContext(name: string, meta: unknown, tls: Record<string, string> = {}): void {
  const id = createHash('sha256').update(name).digest('hex');
  const directory = join(home, '.docker/contexts/meta', id);
  mkdirSync(directory, { recursive: true });
  writeFileSync(join(directory, 'meta.json'), JSON.stringify(meta));
  const certificates = join(home, '.docker/contexts/tls', id, 'docker');
  mkdirSync(certificates, { recursive: true });
  for (const [file, text] of Object.entries(tls)) writeFileSync(join(certificates, file), text);
}

describe('findEngine', () => {
  it('takes the socket of the platform when nothing is said', () => {
    expect(findEngine({ env: {}, home, platform: 'linux' })).toEqual({
      text: 'unix:///var/run/docker.sock',
      origin: 'default',
      socketPath: '/var/run/docker.sock',
    });
    expect(findEngine({ env: {}, home, platform: 'win32' }).socketPath).toBe('\\\\.\\pipe\\docker_engine');
  });

  it('prefers DOCKER_HOST to a context', () => {
    writeContext('colima', { Endpoints: { docker: { Host: 'unix:///colima.sock' } } });
    const env = { DOCKER_HOST: 'tcp://[::1]:2399', DOCKER_CONTEXT: 'colima' };
    expect(findEngine({ env, home })).toMatchObject({ host: '::1', port: 2399, origin: 'DOCKER_HOST' });
  });

  it('reads the current context, with its certificates', () => {
    writeContext(
      'far',
      { Endpoints: { docker: { Host: 'tcp://engine.example:2376' } } },
      { 'ca.pem': 'CA', 'key.pem': 'KEY' },
    );
    writeFileSync(join(home, '.docker/config.json'), '{"currentContext":"far"}');
    const found = findEngine({ env: {}, home });
    expect(found).toMatchObject({ host: 'engine.example', port: 2376, origin: 'context "far"', tls: { verify: true } });
    expect(found.tls?.ca?.toString()).toBe('CA');
    expect(findEngine({ env: { DOCKER_CONTEXT: 'default' }, home, platform: 'linux' }).origin).toBe('default');
  });

  it('says which context is missing', () => {
    expect(() => findEngine({ env: { DOCKER_CONTEXT: 'no\u001b[1m' }, home })).toThrow(
      /no Docker context "no\\x1b\[1m"/,
    );
  });

  it('reads the certificates of DOCKER_CERT_PATH', () => {
    writeFileSync(join(home, 'ca.pem'), 'CA');
    const env = { DOCKER_HOST: 'tcp://h', DOCKER_TLS_VERIFY: '1', DOCKER_CERT_PATH: home };
    expect(findEngine({ env, home })).toMatchObject({ port: 2376, tls: { verify: true, ca: Buffer.from('CA') } });
    expect(findEngine({ env: { ...env, DOCKER_TLS_VERIFY: '' }, home }).tls?.verify).toBe(false);
  });

  it('wants an authority where the engine is to be checked, and no certificates for a socket', () => {
    const env = { DOCKER_TLS_VERIFY: '1', DOCKER_CERT_PATH: join(home, 'nowhere') };
    expect(() => findEngine({ env: { ...env, DOCKER_HOST: 'tcp://h' }, home })).toThrow(/no ca\.pem in .*nowhere/);
    expect(findEngine({ env: { ...env, DOCKER_HOST: 'unix:///s' }, home })).toEqual({
      text: 'unix:///s',
      origin: 'DOCKER_HOST',
      socketPath: '/s',
    });
  });

  it('names a file of certificates that cannot be read', () => {
    mkdirSync(join(home, 'ca.pem'));
    const env = { DOCKER_HOST: 'tcp://h', DOCKER_TLS_VERIFY: '1', DOCKER_CERT_PATH: home };
    expect(() => findEngine({ env, home })).toThrow(/ca\.pem cannot be read/);
  });

  it('takes the usual engine when the Docker config cannot be read', () => {
    mkdirSync(join(home, '.docker/config.json'), { recursive: true });
    expect(findEngine({ env: {}, home }).origin).toBe('default');
  });
});

describe('parseEngineHost', () => {
  it('keeps the ports of HTTP', () => {
    expect(parseEngineHost('tcp://h:80', undefined)).toMatchObject({ host: 'h', port: 80 });
    expect(parseEngineHost('tcp://h', undefined).port).toBe(2375);
  });

  it.each(['unix://relative', 'ssh://me@host', 'gopher://x', 'tcp://', 'tcp://h/path'])('refuses %s', (text) => {
    expect(() => parseEngineHost(text, undefined)).toThrowError(
      expect.objectContaining({ code: 'ENGINE_ADDRESS_INVALID' }),
    );
  });
});
