import { describe, expect, it } from 'vitest';
import { file, scanned, symlink } from '../layer/testing/entries.ts';
import { ImageTree } from './image-tree.ts';
import { LayerIndex } from './layer-index.ts';
import { readUserFiles } from './user-files.ts';
import { lookupOwner, lookupUser } from './users.ts';

const passwd = `root:x:0:0:root:/root:/bin/sh
# comment
broken
evil:x:abc:0::/:
app:x:1000:1001:App,,,:/home/app:/bin/sh
app:x:2000:2000::/second:
1234:x:77:77::/named-like-a-number:
nohome:x:1005:1005
+::::::
`;
const group = `root:x:0:root
wheel:x:10:root,app
app:x:1001:
docker:x:999:app
wheel2:x:10:app
50:x:60:
bad:x:-1:app
`;

describe('lookupUser', () => {
  it.each([
    ['', { uid: 0, gid: 0, additionalGids: [0, 10], home: '/root', name: 'root' }],
    ['root', { uid: 0, gid: 0, additionalGids: [0, 10], home: '/root', name: 'root' }],
    ['app', { uid: 1000, gid: 1001, additionalGids: [10, 999], home: '/home/app', name: 'app' }],
    ['1000', { uid: 1000, gid: 1001, additionalGids: [10, 999], home: '/home/app', name: 'app' }],
    ['app:docker', { uid: 1000, gid: 999, additionalGids: [], home: '/home/app', name: 'app' }],
    ['app:5', { uid: 1000, gid: 5, additionalGids: [], home: '/home/app', name: 'app' }],
    ['1000:1000', { uid: 1000, gid: 1000, additionalGids: [], home: '/home/app', name: 'app' }],
    ['4321', { uid: 4321, gid: 0, additionalGids: [], home: '/' }],
    ['4321:app', { uid: 4321, gid: 1001, additionalGids: [], home: '/' }],
    ['1234', { uid: 1234, gid: 0, additionalGids: [], home: '/' }],
    ['app:50', { uid: 1000, gid: 50, additionalGids: [], home: '/home/app', name: 'app' }],
    ['nohome', { uid: 1005, gid: 1005, additionalGids: [], home: '/', name: 'nohome' }],
    ['app:', { uid: 1000, gid: 1001, additionalGids: [10, 999], home: '/home/app', name: 'app' }],
  ])('%j', (text, expected) => {
    expect(lookupUser(passwd, group, text)).toEqual({ found: true, ...expected });
  });

  it.each([
    ['nobody', { missing: 'user', name: 'nobody' }],
    ['evil', { missing: 'user', name: 'evil' }],
    ['app:nogroup', { missing: 'group', name: 'nogroup' }],
    ['app:bad', { missing: 'group', name: 'bad' }],
    ['-5', { missing: 'user', name: '-5' }],
    ['4294967296', { missing: 'user', name: '4294967296' }],
    ['99999999999999999999', { missing: 'user', name: '99999999999999999999' }],
    ['app:4294967296', { missing: 'group', name: '4294967296' }],
  ])('%j is not known', (text, expected) => {
    expect(lookupUser(passwd, group, text)).toEqual({ found: false, ...expected });
  });

  it('needs no files for ids', () => {
    expect(lookupUser('', '', '0:0')).toEqual({ found: true, uid: 0, gid: 0, additionalGids: [], home: '/' });
    expect(lookupUser('', '', 'root:root')).toMatchObject({ found: true, uid: 0, gid: 0 });
    expect(lookupUser('', '', '')).toMatchObject({ found: true, uid: 0, gid: 0 });
    expect(lookupUser('', '', '1')).toMatchObject({ found: true, uid: 1, gid: 0 });
    expect(lookupUser('', '', 'root')).toMatchObject({ found: false, missing: 'user' });
  });

  it('B8: refuses texts without bound', () => {
    const huge = 'x'.repeat(1024 * 1024 + 1);
    expect(() => lookupUser(huge, '', 'app')).toThrow(expect.objectContaining({ code: 'USER_FILE_TOO_LARGE' }));
    expect(() => lookupUser(passwd, huge, 'app')).toThrow(expect.objectContaining({ code: 'USER_FILE_TOO_LARGE' }));
  });
});

describe('lookupOwner', () => {
  it.each([
    ['app', { uid: 1000, gid: 1001 }],
    ['1000', { uid: 1000, gid: 1000 }],
    ['root', { uid: 0, gid: 0 }],
    ['5:6', { uid: 5, gid: 6 }],
    ['app:docker', { uid: 1000, gid: 999 }],
    ['app:7', { uid: 1000, gid: 7 }],
    [':docker', { uid: 0, gid: 999 }],
    ['1234', { uid: 1234, gid: 1234 }],
  ])('%j', (text, expected) => {
    expect(lookupOwner(passwd, group, text)).toEqual({ found: true, ...expected });
  });

  it.each([
    ['nobody', { missing: 'user', name: 'nobody' }],
    ['nobody:app', { missing: 'user', name: 'nobody' }],
    ['app:nogroup', { missing: 'group', name: 'nogroup' }],
  ])('%j is not known', (text, expected) => {
    expect(lookupOwner(passwd, group, text)).toEqual({ found: false, ...expected });
  });
});

describe('readUserFiles', () => {
  it('B8: takes regular files only, and none that is huge', () => {
    const missing = new ImageTree([() => new LayerIndex('', scanned([symlink('etc/passwd', '/etc/passwd')]))]);
    expect(() => readUserFiles(missing)).toThrow(expect.objectContaining({ code: 'PATH_LINK_LOOP' }));
    const fifoLike = new ImageTree([() => new LayerIndex('', scanned([symlink('etc/passwd', '../proc/self/fd/0')]))]);
    expect(readUserFiles(fifoLike)).toEqual({ passwd: '', group: '' });
    const huge = [file('etc/passwd', { size: 1024 * 1024 + 1 })];
    expect(() => readUserFiles(new ImageTree([() => new LayerIndex('', scanned(huge))]))).toThrow(
      expect.objectContaining({ code: 'USER_FILE_TOO_LARGE' }),
    );
  });
});
