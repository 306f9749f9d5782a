import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { temporaryDirectories } from '@boxwright/testing';
import { describe, expect, it } from 'vitest';
import { parseBuildContext } from './build-context.ts';
import { parseCsv } from './csv.ts';
import { parseExtraHost } from './extra-host.ts';
import { parseAnnotations, parseBuildArgs, parseEnvironment, parseLabels, parseSourceDateEpoch } from './key-values.ts';
import { parseOutput } from './output.ts';
import { parsePlatformFlag } from './platform.ts';
import { parseSecret } from './secret.ts';
import { parseVolume } from './volume.ts';

const temporaryDirectory = temporaryDirectories();
const usage = (part: string) => expect.objectContaining({ code: 'USAGE', message: expect.stringContaining(part) });

describe('parseCsv', () => {
  it.each([
    ['a', ['a']],
    ['', ['']],
    ['a,b,', ['a', 'b', '']],
    ['type=local,"dest=a,b"', ['type=local', 'dest=a,b']],
    ['"say ""hi""",x', ['say "hi"', 'x']],
    ['""', ['']],
  ])('%s', (text, fields) => {
    expect(parseCsv(text, '--output')).toEqual(fields);
  });

  it.each(['"a', 'a"b', '"a"b,c', 'x,"'])('refuses %s', (text) => {
    expect(() => parseCsv(text, '--output')).toThrow(usage('double quote'));
  });
});

describe('parseBuildArgs', () => {
  it('takes values, the environment, and SOURCE_DATE_EPOCH', () => {
    const env = { FROM_ENV: 'e', SOURCE_DATE_EPOCH: '1700000000', EMPTY: '' };
    expect([...parseBuildArgs(['A=1', 'B=', 'C=x=y', 'FROM_ENV', 'MISSING', 'EMPTY', 'A=2'], env)]).toEqual([
      ['SOURCE_DATE_EPOCH', '1700000000'],
      ['A', '2'],
      ['B', ''],
      ['C', 'x=y'],
      ['FROM_ENV', 'e'],
      ['EMPTY', ''],
    ]);
    expect(parseBuildArgs(['SOURCE_DATE_EPOCH=5'], env).get('SOURCE_DATE_EPOCH')).toBe('5');
  });

  it('keeps __proto__ a name like any other', () => {
    expect([...parseBuildArgs(['__proto__=x'], {})]).toEqual([['__proto__', 'x']]);
    expect(parseBuildArgs(['constructor'], Object.create(null)).size).toBe(0);
  });

  it('refuses a value without name', () => {
    expect(() => parseBuildArgs(['=x'], {})).toThrow(usage('name'));
  });
});

it('parseLabels takes a bare key as empty', () => {
  expect([...parseLabels(['a=1', 'b', 'c=x=y'])]).toEqual([
    ['a', '1'],
    ['b', ''],
    ['c', 'x=y'],
  ]);
});

it('parseAnnotations knows the manifest only', () => {
  expect([...parseAnnotations(['a=1', 'manifest:b=2', 'org.x:y=3'])]).toEqual([
    ['a', '1'],
    ['b', '2'],
    ['org.x:y', '3'],
  ]);
  expect(() => parseAnnotations(['index:a=1'])).toThrow(usage("'index'"));
  expect(() => parseAnnotations(['manifest[linux/amd64]:a=1'])).toThrow(usage('manifest[linux/amd64]'));
  expect(() => parseAnnotations(['a'])).toThrow(usage('KEY=VALUE'));
});

it('parseEnvironment drops what is not set', () => {
  expect(parseEnvironment(['A=1', 'HOME', 'NOPE'], { HOME: '/h' })).toEqual(['A=1', 'HOME=/h']);
});

describe('parseSourceDateEpoch', () => {
  it.each([
    [undefined, undefined],
    ['', undefined],
    ['0', 0],
    ['1700000000', 1_700_000_000],
  ])('%j', (text, seconds) => {
    expect(parseSourceDateEpoch(new Map(text === undefined ? [] : [['SOURCE_DATE_EPOCH', text]]))).toBe(seconds);
  });

  it.each(['now', '-1', '1.5', '1e9', ' 1', '99999999999999999999'])('refuses %j', (text) => {
    expect(() => parseSourceDateEpoch(new Map([['SOURCE_DATE_EPOCH', text]]))).toThrow(usage('whole number'));
  });
});

describe('parseOutput', () => {
  it.each([
    ['out', { type: 'local', dest: '/w/out' }, []],
    ['/abs/dir', { type: 'local', dest: '/abs/dir' }, []],
    ['-', { type: 'tar', dest: '-' }, []],
    ['type=tar,dest=x.tar', { type: 'tar', dest: '/w/x.tar' }, []],
    ['type=tar,dest=-', { type: 'tar', dest: '-' }, []],
    ['type=local,"dest=a,b"', { type: 'local', dest: '/w/a,b' }, []],
    ['type=oci,dest=l', { type: 'oci', dest: '/w/l', tar: true }, []],
    ['type=oci,dest=l,tar=false', { type: 'oci', dest: '/w/l', tar: false }, []],
    ['TYPE=oci,dest=-', { type: 'oci', dest: '-', tar: true }, []],
    ['type=docker,dest=d.tar,name=app:1', { type: 'docker', dest: '/w/d.tar' }, ['app:1']],
    ['type=image', { type: 'image' }, []],
    ['type=image,"name=a,b",push=false', { type: 'image' }, ['a', 'b']],
    ['type=image,push=true', { type: 'image', push: { compression: { compression: 'gzip' } } }, []],
    ['type=registry,name=a:1', { type: 'image', push: { compression: { compression: 'gzip' } } }, ['a:1']],
    [
      'type=registry,compression=zstd,compression-level=9',
      { type: 'image', push: { compression: { compression: 'zstd', level: 9 } } },
      [],
    ],
    ['type=image,push=1,compression=uncompressed', { type: 'image', push: { compression: undefined } }, []],
  ])('%s', (text, output, names) => {
    expect(parseOutput(text, '/w')).toEqual({ output, names });
  });

  it.each([
    ['', 'empty'],
    ['type=registry,dest=x', 'no dest'],
    ['type=image,push=maybe', 'maybe'],
    ['type=image,compression=gzip', 'push=true'],
    ['type=registry,compression=xz', 'xz'],
    ['type=oci,dest=a,push=true', 'push=…'],
    ['type=oci', 'dest=PATH'],
    ['type=docker', 'dest=PATH'],
    ['type=local,dest=-', 'directory'],
    ['type=oci,tar=false,dest=-', 'directory'],
    ['type=tar,dest=a,tar=false', 'type=oci'],
    ['type=oci,tar=perhaps,dest=a', 'perhaps'],
    ['type=oci,compression=zstd,dest=a', 'compression=… belongs'],
    ['dest=a,mode=b', "unknown key 'mode'"],
    ['type=oci,dest=a,dest=b', 'twice'],
    ['dest=a,tar=true', 'type=oci'],
    ['dest=a,name=b', 'type=… is missing'],
  ])('refuses %s', (text, part) => {
    expect(() => parseOutput(text, '/w')).toThrow(usage(part));
  });
});

describe('parseSecret', () => {
  it('finds the source as buildx does', () => {
    const cwd = temporaryDirectory();
    writeFileSync(join(cwd, 'file'), 'x');
    const env = { TOKEN: 't0p', named: 'by id' };
    const value = (text: string) => ({ value: Buffer.from(text) });
    const parse = (text: string) => parseSecret(text, env, cwd);
    expect(parse('id=a,src=file')).toEqual({ id: 'a', source: { file: join(cwd, 'file') } });
    expect(parse('id=a,source=file,type=file')).toEqual({ id: 'a', source: { file: join(cwd, 'file') } });
    expect(parse('id=file')).toEqual({ id: 'file', source: { file: join(cwd, 'file') } });
    expect(parse('id=a,env=TOKEN')).toEqual({ id: 'a', source: value('t0p') });
    expect(parse('type=env,id=TOKEN')).toEqual({ id: 'TOKEN', source: value('t0p') });
    expect(parse('type=env,id=a,src=TOKEN')).toEqual({ id: 'a', source: value('t0p') });
    expect(parse('id=named')).toEqual({ id: 'named', source: value('by id') });
    expect(parse('id=a,env=NOT_SET')).toEqual({ id: 'a', source: value('') });
  });

  it.each([
    ['src=file', 'id=NAME'],
    ['id=', 'id=NAME'],
    ['id=a,src=nowhere', 'there is no file'],
    ['id=a,src=.', 'is a directory'],
    ['id=a,src=big', '512001 bytes'],
    ['id=a,type=vault', "not 'vault'"],
    ['id=a,uid=0', "unknown key 'uid'"],
    ['id', 'must be id=VALUE'],
  ])('refuses %s', (text, part) => {
    const cwd = temporaryDirectory();
    writeFileSync(join(cwd, 'big'), Buffer.alloc(512_001));
    expect(() => parseSecret(text, {}, cwd)).toThrow(usage(part));
  });
});

describe('parseBuildContext', () => {
  it('reads directories, layouts and images', () => {
    const cwd = temporaryDirectory();
    mkdirSync(join(cwd, 'src'));
    const digest = `sha256:${'a'.repeat(64)}`;
    expect(parseBuildContext('base=src', cwd)).toEqual(['base', { kind: 'directory', path: join(cwd, 'src') }]);
    expect(parseBuildContext('b=docker-image://alpine:3', cwd)).toEqual([
      'b',
      { kind: 'image', reference: 'alpine:3' },
    ]);
    expect(parseBuildContext('b=oci-layout://l/x', cwd)).toEqual(['b', { kind: 'oci-layout', path: join(cwd, 'l/x') }]);
    expect(parseBuildContext('b=oci-layout:///l/x:v1', cwd)).toEqual([
      'b',
      { kind: 'oci-layout', path: '/l/x', tag: 'v1' },
    ]);
    expect(parseBuildContext(`b=oci-layout://l@${digest}`, cwd)).toEqual([
      'b',
      { kind: 'oci-layout', path: join(cwd, 'l'), digest },
    ]);
  });

  it.each([
    ['src', 'NAME=PLACE'],
    ['=src', 'NAME=PLACE'],
    ['a=', 'NAME=PLACE'],
    ['a=nowhere', 'is not a directory'],
    ['a=https://example.com/x.git', "'https:'"],
    ['a=target:base', "'target:'"],
  ])('refuses %s', (text, part) => {
    expect(() => parseBuildContext(text, temporaryDirectory())).toThrow(usage(part));
  });
});

describe('parseExtraHost', () => {
  it.each([
    ['db:10.0.0.1', { host: 'db', address: '10.0.0.1' }],
    ['db=10.0.0.1', { host: 'db', address: '10.0.0.1' }],
    ['db:::1', { host: 'db', address: '::1' }],
    ['db:[fd00::1]', { host: 'db', address: 'fd00::1' }],
  ])('%s', (text, host) => {
    expect(parseExtraHost(text)).toEqual(host);
  });

  it.each(['db', 'db:', ':1.2.3.4', 'db:host-gateway', 'a b:1.2.3.4', 'db:1.2.3', 'db:1.2.3.4\n5.6.7.8 x'])(
    'refuses %j',
    (text) => {
      expect(() => parseExtraHost(text)).toThrow(usage('--add-host'));
    },
  );
});

describe('parseVolume', () => {
  it('reads HOST:TARGET[:ro]', () => {
    const cwd = temporaryDirectory();
    mkdirSync(join(cwd, 'd'));
    expect(parseVolume('./d:/data', cwd)).toEqual({ path: join(cwd, 'd'), target: '/data', readonly: false });
    expect(parseVolume(`${cwd}:/x:ro`, '/')).toEqual({ path: cwd, target: '/x', readonly: true });
    expect(parseVolume('.:/x:rw', cwd).readonly).toBe(false);
  });

  it.each([
    ['x', 'HOST:TARGET'],
    ['./d:rel', 'absolute'],
    ['./d:/x:z', "unknown mode 'z'"],
    ['data:/x', 'named volume'],
    ['./nowhere:/x', 'does not exist'],
    ['./d:/x:ro:y', 'HOST:TARGET'],
  ])('refuses %s', (text, part) => {
    const cwd = temporaryDirectory();
    mkdirSync(join(cwd, 'd'));
    expect(() => parseVolume(text, cwd)).toThrow(usage(part));
  });
});

it('parsePlatformFlag takes one platform', () => {
  expect(parsePlatformFlag('linux/arm/v7')).toEqual({ os: 'linux', architecture: 'arm', variant: 'v7' });
  expect(() => parsePlatformFlag('linux/amd64,linux/arm64')).toThrow(usage('several'));
});
