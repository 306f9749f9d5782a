import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, inject, it } from 'vitest';
import { compareImages } from './compare/compare-images.ts';
import { type Json, summarizeArchive } from './compare/summary.ts';
import { docker, dockerOk, type EngineAccess, runBeside } from './components/docker-engine.ts';
import { boxwrightOk } from './support/boxwright.ts';
import { describeFailure, run } from './support/run.ts';
import { baseArchive, makeScene, missingBases, type Scene } from './support/scene.ts';
import { removeTemporaryDirectoriesAfterEach } from './support/temporary.ts';

removeTemporaryDirectoriesAfterEach();

const engine = inject('engine');

const FILES = {
  Dockerfile:
    'FROM e2e/rich:1\nCOPY --chown=app a /owned/a\nCOPY dir /dir\nENV X="<1>" Y=2\nLABEL x=y\nCMD ["a", "b"]\n',
  a: 'a\n',
  'dir/sub/b': 'b\n',
};

/** Runs a tool beside the engine where there is one (newer), else the machine's own. */
async function tool(program: 'skopeo' | 'umoci', args: readonly string[]): Promise<string> {
  const result = 'value' in engine ? await runBeside(engine.value, program, args) : await run(program, args);
  if (result.code !== 0) throw new Error(describeFailure(result));
  return result.stdout.toString();
}

async function hasTool(program: string): Promise<boolean> {
  if ('value' in engine) return true;
  return (await run(program, ['--version']).catch(() => undefined))?.code === 0;
}

const noSkopeo = missingBases() !== undefined || !(await hasTool('skopeo'));
const noUmoci = missingBases() !== undefined || !(await hasTool('umoci'));

async function builtScene(...outputs: readonly string[]): Promise<Scene> {
  const scene = await makeScene(FILES, ['rich']);
  const flags = outputs.flatMap((output) => ['--output', output.replaceAll('{scene}', scene.directory)]);
  await boxwrightOk(scene.home, ['build', '--tag', 'made:1', ...flags, scene.context]);
  return scene;
}

/** Image id (config digest) of an image in the store, by its raw config. */
async function storedConfigDigest(home: string, name: string): Promise<string> {
  const { stdout } = await boxwrightOk(home, ['inspect', '--format', 'raw-config', name]);
  return digestOf(stdout);
}

async function storedManifestDigest(home: string, name: string): Promise<string> {
  const { stdout } = await boxwrightOk(home, ['inspect', '--format', 'raw-manifest', name]);
  return digestOf(stdout);
}

function digestOf(bytes: Uint8Array): string {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
}

describe.skipIf(noSkopeo)('skopeo reads what we write', () => {
  it.each([
    ['an OCI layout', 'type=oci,dest={scene}/layout,tar=false', 'oci:{scene}/layout'],
    ['an OCI archive', 'type=oci,dest={scene}/layout.tar', 'oci-archive:{scene}/layout.tar'],
    ['a docker-archive', 'type=docker,dest={scene}/docker.tar', 'docker-archive:{scene}/docker.tar'],
  ])('%s', async (_what, output, source) => {
    const scene = await builtScene(output);
    const from = source.replaceAll('{scene}', scene.directory);
    const copy = join(scene.directory, 'copy.tar');
    await tool('skopeo', ['--insecure-policy', 'copy', '--quiet', from, `docker-archive:${copy}:copy:1`]);
    const ours = join(scene.directory, 'ours.tar');
    await boxwrightOk(scene.home, ['save', '--format', 'docker', '--output', ours, 'made:1']);
    const [copied, kept] = [await summarizeArchive(copy), await summarizeArchive(ours)];
    expect(compareImages(kept, copied)).toEqual([]);
    expect(copied.imageId).toBe(await storedConfigDigest(scene.home, 'made:1'));
    const config = JSON.parse(await tool('skopeo', ['inspect', '--config', '--raw', from])) as { [key: string]: Json };
    expect(config).toEqual(kept.config);
  });

  it('the digest of an OCI layout is that of the store', async () => {
    const scene = await builtScene('type=oci,dest={scene}/layout,tar=false');
    await boxwrightOk(scene.home, ['load', '--input', join(scene.directory, 'layout')]);
    const raw = await tool('skopeo', ['inspect', '--raw', `oci:${scene.directory}/layout`]);
    const listed = readdirSync(join(scene.directory, 'layout/blobs/sha256'));
    expect(listed).toContain(digestOf(Buffer.from(raw)).slice('sha256:'.length));
    for (const name of listed) {
      const bytes = readFileSync(join(scene.directory, 'layout/blobs/sha256', name));
      expect(digestOf(bytes)).toBe(`sha256:${name}`);
    }
  });
});

describe.skipIf(noSkopeo)('we read what skopeo writes, digests kept', () => {
  it.each([
    ['an OCI layout', 'oci:{scene}/in:made', '{scene}/in'],
    ['an OCI archive', 'oci-archive:{scene}/in.tar:made', '{scene}/in.tar'],
    ['a docker-archive', 'docker-archive:{scene}/in.tar:docker.io/e2e/again:2', '{scene}/in.tar'],
  ])('%s', async (what, destination, path) => {
    const scene = await makeScene({}, []);
    const fill = (text: string): string => text.replaceAll('{scene}', scene.directory);
    const base = `docker-archive:${baseArchive('rich')}`;
    await tool('skopeo', ['--insecure-policy', 'copy', '--quiet', base, fill(destination)]);
    // What skopeo wrote, as skopeo reads it: it rewrites a Docker config for OCI.
    const manifest = await tool('skopeo', ['inspect', '--raw', fill(destination)]);
    const config = await tool('skopeo', ['inspect', '--config', '--raw', fill(destination)]);
    const loaded = await boxwrightOk(scene.home, ['load', '--input', fill(path)]);
    const name = /(\S+:(?:made|2))\s*$/m.exec(loaded.stdout.toString())?.[1] ?? 'no name in the output';
    expect(await storedConfigDigest(scene.home, name)).toBe(digestOf(Buffer.from(config)));
    if (what !== 'a docker-archive') {
      expect(await storedManifestDigest(scene.home, name)).toBe(digestOf(Buffer.from(manifest)));
    }
  });
});

describe.skipIf(noUmoci)('umoci', () => {
  it('unpacks our layout to the same files as we do', async () => {
    const scene = await builtScene('type=oci,dest={scene}/layout,tar=false,name=made:1');
    const index = JSON.parse(readFileSync(join(scene.directory, 'layout/index.json'), 'utf8')) as {
      manifests: { annotations?: Record<string, string> }[];
    };
    const tag = index.manifests[0]?.annotations?.['org.opencontainers.image.ref.name'];
    expect(tag).toBeDefined();
    const bundle = join(scene.directory, 'bundle');
    await tool('umoci', ['unpack', '--image', `${scene.directory}/layout:${tag}`, bundle]);
    const ours = join(scene.directory, 'unpacked');
    await boxwrightOk(scene.home, ['unpack', 'made:1', ours]);
    // Device nodes are left out of a directory that a person looks into.
    const withoutDevices = (await listing(join(bundle, 'rootfs'))).replace(/^b'\/odd\/null' .*\n/m, '');
    expect(await listing(ours)).toBe(withoutDevices);
  });

  it('makes an image that we load, digests kept', async () => {
    const scene = await makeScene({}, []);
    const layout = join(scene.directory, 'layout');
    await tool('umoci', ['init', '--layout', layout]);
    await tool('umoci', ['new', '--image', `${layout}:empty`]);
    const bundle = join(scene.directory, 'bundle');
    await tool('umoci', ['unpack', '--image', `${layout}:empty`, bundle]);
    mkdirSync(join(bundle, 'rootfs/dir'), { recursive: true });
    await tool('umoci', ['repack', '--image', `${layout}:full`, bundle]);
    await tool('umoci', ['config', '--image', `${layout}:full`, '--config.env', 'A=1', '--config.cmd', 'x']);
    const wanted = JSON.parse(readFileSync(join(layout, 'index.json'), 'utf8')) as {
      manifests: { digest: string; annotations: Record<string, string> }[];
    };
    const full = wanted.manifests.find(({ annotations }) => Object.values(annotations).includes('full'));
    const loaded = await boxwrightOk(scene.home, ['load', '--input', layout]);
    const name = /(\S+:full)\s*$/m.exec(loaded.stdout.toString())?.[1] ?? 'no name in the output';
    expect(await storedManifestDigest(scene.home, name)).toBe(full?.digest);
  });
});

describe.skipIf(!('value' in engine) || missingBases() !== undefined)('the Docker Engine', () => {
  const access = (): EngineAccess => {
    if ('missing' in engine) throw new Error(engine.missing);
    return engine.value;
  };

  it('loads our docker-archive under the same id', async () => {
    const scene = await builtScene('type=docker,dest={scene}/docker.tar,name=e2e-interchange:1');
    await dockerOk(access(), ['load', '--quiet', '--input', join(scene.directory, 'docker.tar')]);
    try {
      const { stdout } = await dockerOk(access(), ['image', 'inspect', '--format', '{{.Id}}', 'e2e-interchange:1']);
      expect(stdout.toString().trim()).toBe(await storedConfigDigest(scene.home, 'made:1'));
    } finally {
      await docker(access(), ['image', 'rm', '--force', 'e2e-interchange:1']);
    }
  });

  it('saves what we load, several images and names at once, ids kept', async () => {
    const scene = await makeScene({}, []);
    const archive = join(scene.directory, 'saved.tar');
    await dockerOk(access(), ['tag', 'e2e/entry:1', 'e2e/entry:also']);
    try {
      await dockerOk(access(), ['save', '--output', archive, 'e2e/rich:1', 'e2e/entry:1', 'e2e/entry:also']);
    } finally {
      await docker(access(), ['image', 'rm', 'e2e/entry:also']);
    }
    await boxwrightOk(scene.home, ['load', '--input', archive]);
    for (const name of ['e2e/rich:1', 'e2e/entry:1', 'e2e/entry:also']) {
      const { stdout } = await dockerOk(access(), [
        'image',
        'inspect',
        '--format',
        '{{.Id}}',
        name.replace('also', '1'),
      ]);
      expect(await storedConfigDigest(scene.home, name)).toBe(stdout.toString().trim());
    }
  });
});

/** Everything below a directory that a faithful unpacking has to agree on, as one text. */
async function listing(directory: string): Promise<string> {
  const script = `
import hashlib, os, stat, sys
root = os.fsencode(sys.argv[1])
inodes = {}
for base, dirs, files in os.walk(root):
    dirs.sort()
    for name in sorted(dirs + files):
        path = os.path.join(base, name)
        s = os.lstat(path)
        kind = stat.S_IFMT(s.st_mode)
        extra = ''
        if stat.S_ISLNK(s.st_mode): extra = os.readlink(path)
        elif stat.S_ISREG(s.st_mode): extra = hashlib.sha256(open(path, 'rb').read()).hexdigest()
        elif stat.S_ISCHR(s.st_mode): extra = s.st_rdev
        attrs = sorted((n, os.getxattr(path, n, follow_symlinks=False)) for n in os.listxattr(path, follow_symlinks=False))
        group = inodes.setdefault(s.st_ino, path[len(root):]) if s.st_nlink > 1 and not stat.S_ISDIR(s.st_mode) else ''
        mtime = int(s.st_mtime) if not stat.S_ISDIR(s.st_mode) else ''
        print(path[len(root):], oct(s.st_mode), s.st_uid, s.st_gid, mtime, extra, attrs, group)
`;
  const result = await run('python3', ['-c', script, directory]);
  if (result.code !== 0) throw new Error(describeFailure(result));
  return result.stdout.toString();
}
