import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { temporaryDirectories } from '@boxwright/testing';
import { describe, expect, it } from 'vitest';
import { dockerProxyArgs } from './docker-proxies.ts';

const temporary = temporaryDirectories();

/** A home directory with this Docker config. */
function home(config: string): string {
  const directory = temporary();
  mkdirSync(join(directory, '.docker'));
  writeFileSync(join(directory, '.docker/config.json'), config);
  return directory;
}

const proxies = {
  default: { httpProxy: 'http://proxy:3128', noProxy: 'localhost,.internal', httpsProxy: '', ftpProxy: 7 },
  'tcp://engine:2375': { allProxy: 'socks5://other' },
};

describe('dockerProxyArgs', () => {
  it('gives the default ones in both cases', () => {
    expect(dockerProxyArgs({ env: {}, home: home(JSON.stringify({ proxies })) })).toEqual(
      new Map([
        ['HTTP_PROXY', 'http://proxy:3128'],
        ['http_proxy', 'http://proxy:3128'],
        ['NO_PROXY', 'localhost,.internal'],
        ['no_proxy', 'localhost,.internal'],
      ]),
    );
  });

  it('gives those of the engine that is named, in the config that is named', () => {
    const DOCKER_CONFIG = join(home(JSON.stringify({ proxies })), '.docker');
    const args = dockerProxyArgs({ env: { DOCKER_CONFIG, DOCKER_HOST: 'tcp://engine:2375' }, home: '/nonexistent' });
    expect([...args.keys()]).toEqual(['ALL_PROXY', 'all_proxy']);
    expect(dockerProxyArgs({ env: { DOCKER_CONFIG, DOCKER_HOST: 'unix:///x' }, home: '/' }).size).toBe(4);
  });

  it.each([
    '',
    '{',
    '[]',
    '{"proxies":[]}',
    '{"proxies":{"default":null}}',
    '{"proxies":{"__proto__":{"httpProxy":"x"}}}',
  ])('gives none for %s', (config) => {
    expect(dockerProxyArgs({ env: {}, home: home(config) }).size).toBe(0);
  });

  it('gives none without a config, or for one that is a directory', () => {
    const directory = temporary();
    expect(dockerProxyArgs({ env: {}, home: directory }).size).toBe(0);
    mkdirSync(join(directory, '.docker/config.json'), { recursive: true });
    expect(dockerProxyArgs({ env: {}, home: directory }).size).toBe(0);
  });
});
