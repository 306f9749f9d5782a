import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { tlsFromConfig } from './certificates.ts';
import { parseRegistriesConfig, readRegistriesConfig, registriesConfigPath } from './read-config.ts';
import { defaultSettings, emptyConfig, settingsOf, withInsecure } from './registries-config.ts';

let home: string;

beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'boxwright-config-'));
});

afterEach(() => rmSync(home, { recursive: true, force: true }));

function write(path: string, text: string): string {
  const full = join(home, path);
  mkdirSync(dirname(full), { recursive: true });
  writeFileSync(full, text);
  return full;
}

const parse = (json: unknown) => parseRegistriesConfig(Buffer.from(JSON.stringify(json)), '/etc/x/registries.json');

describe('registries.json', () => {
  it('is where the environment says', () => {
    expect(registriesConfigPath({ env: {}, home: '/h' })).toBe('/h/.config/boxwright/registries.json');
    expect(registriesConfigPath({ env: { XDG_CONFIG_HOME: '/x' }, home: '/h' })).toBe('/x/boxwright/registries.json');
    expect(registriesConfigPath({ env: { BOXWRIGHT_REGISTRIES: '/a.json' }, home: '/h' })).toBe('/a.json');
  });

  it('may be missing, unless it was named', () => {
    expect(readRegistriesConfig({ env: {}, home })).toBe(emptyConfig);
    const BOXWRIGHT_REGISTRIES = join(home, 'none.json');
    expect(() => readRegistriesConfig({ env: { BOXWRIGHT_REGISTRIES }, home })).toThrow(
      expect.objectContaining({ code: 'REGISTRY_CONFIG_INVALID', details: { file: BOXWRIGHT_REGISTRIES, key: '' } }),
    );
    write('.config/boxwright/registries.json', '{"registries":{"a.example":{"insecure":true}}}');
    expect(settingsOf(readRegistriesConfig({ env: {}, home }), 'a.example').insecure).toBe(true);
  });

  it('has settings for hosts; paths count from its directory', () => {
    const config = parse({
      registries: {
        'a.example:5000': {
          mirrors: ['mirror.example', 'http://localhost:5001/hub'],
          plainHttp: true,
          ca: 'ca.pem',
          cert: '/c.pem',
          key: 'k.pem',
          concurrency: 8,
          requestsPerSecond: 2.5,
          privateRedirects: true,
        },
        'registry-1.docker.io': { concurrency: 2 },
      },
    });
    expect(settingsOf(config, 'a.example:5000')).toEqual({
      mirrors: ['mirror.example', 'http://localhost:5001/hub'],
      insecure: false,
      plainHttp: true,
      privateRedirects: true,
      ca: '/etc/x/ca.pem',
      cert: '/c.pem',
      key: '/etc/x/k.pem',
      concurrency: 8,
      requestsPerSecond: 2.5,
    });
    expect(settingsOf(config, 'docker.io').concurrency).toBe(2);
    expect(settingsOf(config, 'b.example')).toEqual(defaultSettings);
    expect(settingsOf(config, '__proto__')).toEqual(defaultSettings);
  });

  it.each<[unknown, string, RegExp]>([
    [[], '', /is not an object/],
    [{ other: 1 }, 'other', /is not known/],
    [{ registries: [] }, 'registries', /is not an object/],
    [{ registries: { 'a/b': {} } }, 'registries["a/b"]', /is not a registry host/],
    [{ registries: { 'https://a': {} } }, 'registries["https://a"]', /is not a registry host/],
    [{ registries: { 'a.b': 1 } }, 'registries["a.b"]', /is not an object/],
    [{ registries: { 'a.b': { insecur: true } } }, 'registries["a.b"].insecur', /is not known/],
    [{ registries: { 'a.b': { insecure: 'yes' } } }, 'registries["a.b"].insecure', /neither true nor false/],
    [{ registries: { a: { mirrors: 'b' } } }, 'registries.a.mirrors', /is not a list/],
    [{ registries: { a: { mirrors: [1] } } }, 'registries.a.mirrors', /is not a list of texts/],
    [{ registries: { a: { mirrors: ['ftp://b'] } } }, 'registries.a.mirrors', /HOST/],
    [{ registries: { a: { mirrors: ['b/UPPER'] } } }, 'registries.a.mirrors', /HOST/],
    [{ registries: { a: { cert: 'x' } } }, 'registries.a.key', /is missing/],
    [{ registries: { a: { ca: '' } } }, 'registries.a.ca', /is not a text/],
    [{ registries: { a: { concurrency: 0 } } }, 'registries.a.concurrency', /from 1 to 100/],
    [{ registries: { a: { concurrency: 1.5 } } }, 'registries.a.concurrency', /whole number/],
    [{ registries: { a: { requestsPerSecond: '1' } } }, 'registries.a.requestsPerSecond', /number/],
  ])('%j: %s', (json, key, text) => {
    expect(() => parse(json)).toThrow(
      expect.objectContaining({
        code: 'REGISTRY_CONFIG_INVALID',
        message: expect.stringMatching(text),
        details: { file: '/etc/x/registries.json', key },
      }),
    );
  });

  it('suggests what was meant', () => {
    expect(() => parse({ registries: { a: { insecur: true } } })).toThrow(
      expect.objectContaining({ hint: 'Did you mean insecure?' }),
    );
  });

  it.each(['', '{', '{"registries":{},"registries":{}}', '\u0000'])('%j is not taken', (text) => {
    expect(() => parseRegistriesConfig(Buffer.from(text), 'x.json')).toThrow(
      expect.objectContaining({ code: 'REGISTRY_CONFIG_INVALID', message: expect.stringContaining('it is not JSON') }),
    );
  });
});

it('withInsecure adds to what is set', () => {
  const config = parse({ registries: { a: { concurrency: 9 } } });
  expect(withInsecure(config, false)).toBe(config);
  expect(settingsOf(withInsecure(config, true), 'b').insecure).toBe(true);
  const some = withInsecure(config, ['a']);
  expect(settingsOf(some, 'a')).toMatchObject({ insecure: true, concurrency: 9 });
  expect(settingsOf(some, 'b').insecure).toBe(false);
});

describe('tlsFromConfig', () => {
  it('reads the files that are set, and those of certs.d', () => {
    write('ca.pem', 'one');
    write('.config/docker/certs.d/a.example:5000/x.crt', 'two');
    write('.config/containers/certs.d/a.example:5000/y.crt', 'three');
    write('.config/containers/certs.d/a.example:5000/me.cert', 'cert');
    write('.config/containers/certs.d/a.example:5000/me.key', 'key');
    write('.config/containers/certs.d/b.example:443/z.crt', 'four');
    write('boxwright/registries.json', '{"registries":{"a.example:5000":{"ca":"../ca.pem"}}}');
    const location = { env: { BOXWRIGHT_REGISTRIES: join(home, 'boxwright/registries.json') }, home };
    const tls = tlsFromConfig(readRegistriesConfig(location), location);
    const texts = tls(new URL('https://a.example:5000/v2/'))?.ca?.map(String);
    expect(texts).toEqual(['one', 'three', 'two']);
    expect(tls(new URL('https://a.example:5000/'))).toMatchObject({
      cert: Buffer.from('cert'),
      key: Buffer.from('key'),
    });
    expect(tls(new URL('https://b.example/'))?.ca?.map(String)).toEqual(['four']);
    expect(tls(new URL('https://a.example/'))).toEqual({});
  });

  it('does not follow a host out of the directory', () => {
    write('.config/containers/x.crt', 'outside');
    expect(tlsFromConfig(emptyConfig, { env: {}, home })(new URL('https://../'))).toEqual({});
  });

  it('says which file is wrong', () => {
    const certificate = write('.config/containers/certs.d/a.example/me.cert', 'cert');
    const choose = tlsFromConfig(emptyConfig, { env: {}, home });
    expect(() => choose(new URL('https://a.example/'))).toThrow(
      expect.objectContaining({ code: 'REGISTRY_CONFIG_INVALID', details: { file: certificate } }),
    );
    const missing = tlsFromConfig(parse({ registries: { 'c.example': { ca: join(home, 'none') } } }), {
      env: {},
      home,
    });
    expect(() => missing(new URL('https://c.example/'))).toThrow(
      expect.objectContaining({ code: 'REGISTRY_CONFIG_INVALID', message: expect.stringContaining('none') }),
    );
  });

  it('knows which hosts are not checked', () => {
    const location = { env: {}, home };
    expect(
      tlsFromConfig(withInsecure(emptyConfig, ['docker.io']), location)(new URL('https://registry-1.docker.io/')),
    ).toEqual({ insecure: true });
    expect(tlsFromConfig(withInsecure(emptyConfig, true), location)(new URL('https://storage.example/'))).toEqual({
      insecure: true,
    });
  });
});
