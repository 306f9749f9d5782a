import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { DEBIAN_PYTHON, openDebianRoot } from './automatic/debian-root.ts';
import { isStray, kinds, mainPy, manifest, serverJs, strays } from './automatic/kinds.ts';
import { makeLanguageBases } from './automatic/language-bases.ts';
import { startPackageIndex } from './automatic/package-index.ts';
import { packages } from './automatic/packages.ts';
import { type Bench, type Files, Project } from './automatic/project.ts';
import { baseArchive, missingRun } from './support/scene.ts';
import { makeUser, removeUser } from './support/user.ts';

const root = missingRun() ?? (await openDebianRoot());

let bench: Bench;

describe.skipIf(typeof root === 'string')('automatic Dockerfiles', () => {
  if (typeof root === 'string') return;

  beforeAll(async () => {
    const user = makeUser();
    bench = { user, index: await startPackageIndex(join(user.directory, 'packages'), packages) };
    await user.runOk(['load', '--quiet', '--input', baseArchive('busybox')]);
    await makeLanguageBases(user, { debian: root.directory, index: bench.index });
  });

  afterAll(async () => {
    if (bench === undefined) return;
    await bench.index.stop();
    removeUser(bench.user);
  });

  describe.each(Object.entries(kinds))('%s', (_name, kind) => {
    it('installs what the lock file says, once, and runs as nobody special', async () => {
      const project = new Project(bench, { ...kind.files, ...strays });
      const first = await project.build();
      expect(first.words).toEqual([...kind.dependencies, ...kind.rest]);
      const [install] = first.calls;
      expect(install).toMatchObject({ cwd: '/app', uid: 0 });
      expect(install?.files).not.toContain(Object.keys(kind.source)[0]);
      expect(Object.keys(install?.caches ?? {})).toEqual(kind.cache === '' ? [] : [kind.cache]);
      expect(await project.says()).toMatchObject({
        uid: kind.uid,
        cwd: '/app',
        version: '1.0',
        writable: kind.writable,
      });
      expect((await project.paths()).filter(isStray)).toEqual([]);

      project.write(kind.source);
      expect((await project.build()).words).toEqual(kind.rest);

      project.write(kind.others());
      const third = await project.build();
      expect(third.words).toEqual(first.words);
      if (kind.cache !== '') expect(third.calls[0]?.caches[kind.cache]).toEqual([`left-by-${third.calls[0]?.tool}`]);
      expect((await project.says()).version).toBe('2.0');
      expect((await project.build()).words).toEqual([]);
    });
  });

  it.each<[string, Files, () => Files, Files, readonly string[]]>([
    [
      'pip',
      {
        'requirements.txt': '-r more.txt\ndep==1.0\n',
        'more.txt': 'other\n',
        '.python-version': DEBIAN_PYTHON,
        'main.py': mainPy,
      },
      () => ({ 'requirements.txt': '-r more.txt\ndep==2.0\n' }),
      { 'main.py': `${mainPy}# changed\n` },
      ['dep-1.0-py3-none-any.whl', 'other-1.0-py3-none-any.whl', 'dep-2.0-py3-none-any.whl'],
    ],
    [
      'npm',
      { 'package.json': manifest({}), 'server.js': serverJs },
      () => ({ 'package-lock.json': bench.index.npmLock({ dep: '2.0.0', other: '1.0.0' }) }),
      { 'server.js': `${serverJs}// changed\n` },
      ['dep-1.0.0.tgz', 'other-1.0.0.tgz', 'dep-2.0.0.tgz'],
    ],
  ])('%s installs for itself', async (name, files, others, source, [dep = '', other = '', newer = '']) => {
    const locked = name === 'npm' ? { 'package-lock.json': bench.index.npmLock({ dep: '1.0.0', other: '1.0.0' }) } : {};
    const project = new Project(bench, { ...files, ...locked, ...strays });
    expect((await project.build()).fetched.toSorted()).toEqual([dep, other]);
    const said = await project.says();
    expect(said).toMatchObject({ uid: name === 'npm' ? 1000 : 10001, cwd: '/app' });
    expect(said.version).toMatch(/^1\.0/);
    expect((await project.paths()).filter(isStray)).toEqual([]);

    project.write(source);
    expect((await project.build()).fetched).toEqual([]);

    // The other one comes from the mounted cache.
    project.write(others());
    expect((await project.build()).fetched).toEqual([newer]);
    expect((await project.says()).version).toMatch(/^2\.0/);

    // In exec form it is the program itself that gets signals: nothing stands between.
    const mark = `SERVE=${project.image}-${process.pid}`;
    let serving: readonly number[] = [];
    const result = await bench.user.run(['run', '--network', 'none', '--env', mark, project.image], {
      onStart: (child) =>
        child.stdout?.once('data', () => {
          serving = processesWith(mark);
          for (const pid of serving) process.kill(pid, 'SIGTERM');
        }),
    });
    expect(serving).toHaveLength(1);
    expect(result.stdout.toString()).toBe('ready\nbye\n');
    expect(result.code).toBe(0);
  });

  it('Go: a program alone in its image', async () => {
    const project = new Project(bench, {
      'go.mod': 'module example.com/tool\n\ngo 1.25\n',
      'go.sum': '',
      'cmd/tool/main.go': 'package main\n',
      ...strays,
    });
    const download = 'go mod download';
    const build = 'go build -trimpath -tags=timetzdata -ldflags=-s -w -o /out/app ./cmd/tool';
    const first = await project.build();
    expect(first.words).toEqual([download, build]);
    expect(first.calls[0]?.files).toEqual(['go.mod', 'go.sum']);
    expect(Object.keys(first.calls[1]?.caches ?? {}).toSorted()).toEqual(['/go/pkg/mod', '/root/.cache/go-build']);
    const files = await project.paths();
    expect(files.filter((path) => !/^\/etc(?:\/ssl(?:\/certs)?)?$/.test(path)).toSorted()).toEqual([
      '/app',
      '/etc/ssl/certs/ca-certificates.crt',
    ]);
    const { stdout } = await bench.user.runOk(['run', '--network', 'none', project.image, '--version']);
    expect(stdout.toString()).toContain('GLIBC');
    const config = await bench.user.runOk(['inspect', '--format', 'raw-config', project.image]);
    expect(JSON.parse(config.stdout.toString())).toMatchObject({
      config: { User: '65532:65532', Entrypoint: ['/app'] },
    });
    project.write({ 'cmd/tool/main.go': 'package main // changed\n' });
    expect((await project.build()).words).toEqual([build]);
    project.write({ 'go.sum': 'changed\n' });
    expect((await project.build()).words).toEqual([download, build]);
  });

  it('pages: finished ones without what the project leaves out, and those that a script builds', async () => {
    const fetch = [
      'sh',
      '-c',
      'httpd -p 127.0.0.1:8080 -h /usr/share/nginx/html; id -u; wget -qO- http://127.0.0.1:8080/',
    ];
    const plain = new Project(bench, {
      'index.html': 'page\n',
      'private.html': '',
      '.dockerignore': 'private.html\n.*\n',
    });
    await plain.build();
    const said = await bench.user.runOk(['run', '--network', 'none', plain.image, ...fetch]);
    expect(said.stdout.toString()).toBe('101\npage\n');
    expect((await plain.paths()).filter((path) => path.startsWith('/usr/share/nginx/html/'))).toEqual([
      '/usr/share/nginx/html/index.html',
    ]);

    const built = new Project(bench, {
      'package.json': JSON.stringify({
        scripts: { build: 'mkdir dist && node page.js > dist/index.html' },
        devDependencies: { vite: '*' },
      }),
      'package-lock.json': '{"lockfileVersion":3,"packages":{"":{"devDependencies":{"vite":"*"}}}}',
      'page.js': 'console.log("built");\n',
      ...strays,
    });
    built.write({ 'package-lock.json': bench.index.npmLock({ vite: '7.0.0' }) });
    expect((await built.build()).fetched).toEqual(['vite-7.0.0.tgz']);
    const site = await bench.user.runOk(['run', '--network', 'none', built.image, ...fetch]);
    expect(site.stdout.toString()).toBe('101\nbuilt\n');
  });

  it('flows: as Prefect has them, also in a directory with an odd name', async () => {
    const project = new Project(
      bench,
      {
        'requirements.txt': 'prefect==3.1.0\n',
        '.python-version': DEBIAN_PYTHON,
        'flow.py': mainPy,
        'dep.py': 'version = "own"\n',
      },
      `my $flows' "dir"`,
    );
    const place = `/opt/prefect/my $flows' "dir"`;
    const first = await project.build();
    expect(first.words).toEqual([`uv pip install -r ${place}/requirements.txt`]);
    expect(first.fetched).toEqual(['prefect-3.1.0-py3-none-any.whl']);
    expect(await project.says('python', 'flow.py')).toMatchObject({ cwd: place, version: 'own' });
    project.write({ 'flow.py': `${mainPy}# changed\n` });
    expect((await project.build()).words).toEqual([]);
  });

  it('deploy builds what the command prints, and writes nothing but what it is asked to', async () => {
    const steps = (more: string): string =>
      `build:\n- build_docker_image: {image_name: app, tag: dev, pull: false, dockerfile: auto${more}}\ndeployments:\n- {name: daily}\n`;
    const project = new Project(bench, {
      'requirements.txt': 'other\n',
      '.python-version': DEBIAN_PYTHON,
      'main.py': 'print("ran")\n',
      'boxwright.yaml': steps(''),
    });
    const { id } = await project.build();
    const { dockerfile } = await project.automatic();
    const tree = (): string[] => readdirSync(project.directory, { recursive: true, encoding: 'utf8' }).toSorted();
    const before = tree();
    const deploy = async (): Promise<string> => {
      const { stdout } = await bench.user.runOk(['deploy', '--format', 'json'], { cwd: project.directory });
      const [deployment]: readonly { readonly images: readonly { readonly imageId: string }[] }[] = JSON.parse(
        stdout.toString(),
      );
      return deployment?.images[0]?.imageId ?? '';
    };
    expect(await deploy()).toBe(id);
    expect(tree()).toEqual(before);
    project.write({ 'boxwright.yaml': steps(', persist_dockerfile: true, dockerfile_output_path: Dockerfile.made') });
    await deploy();
    expect(readFileSync(join(project.directory, 'Dockerfile.made'), 'utf8')).toBe(dockerfile);
  });
});

/** Processes in whose environment that stands. */
function processesWith(variable: string): readonly number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => {
      try {
        return readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0').includes(variable);
      } catch {
        return false; // It has ended.
      }
    });
}
