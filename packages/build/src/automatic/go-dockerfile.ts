import { DockerfileWriter } from '../builder/dockerfile-writer.ts';
import { copyLine } from '../builder/instructions/copy-lines.ts';
import type { RunMountOptions } from '../builder/instructions/run-mount-flag.ts';
import type { DraftedDockerfile } from './found-project.ts';
import type { ProjectFiles } from './project-files.ts';

const moduleCache: RunMountOptions = { type: 'cache', target: '/go/pkg/mod' };
const buildCache: RunMountOptions = { type: 'cache', target: '/root/.cache/go-build' };
const defaultGo = '1.25';

/** A Go module: a static program in an otherwise empty image. */
export function goDockerfile(files: ProjectFiles): DraftedDockerfile {
  const module = files.text('go.mod') ?? '';
  const notes: string[] = [];
  const writer = new DockerfileWriter()
    .from(`golang:${goVersion(module)}`, { as: 'build' })
    .workdir('/src')
    .env('CGO_ENABLED', '0');
  const everything = copyLine(['.'], '.');
  if (files.hasDirectory('vendor')) {
    writer.addLine(everything);
  } else if (hasLocalModules(files, module)) {
    writer.addLine(everything).run(['go', 'mod', 'download'], { mounts: [moduleCache] });
    notes.push('The module uses others of this project: every change of a file looks for modules again.');
  } else {
    const sums = files.has('go.sum') ? ['go.sum'] : [];
    writer
      .addLine(copyLine(['go.mod', ...sums], './'))
      .run(['go', 'mod', 'download'], { mounts: [moduleCache] })
      .addLine(everything);
  }
  const build = [
    'go',
    'build',
    '-trimpath',
    '-tags=timetzdata',
    '-ldflags=-s -w',
    '-o',
    '/out/app',
    mainPackage(files, module, notes),
  ];
  writer
    .run(build, { mounts: [moduleCache, buildCache] })
    .addLine('')
    .from('scratch')
    .copyFrom('build', '/etc/ssl/certs/ca-certificates.crt', '/etc/ssl/certs/')
    .copyFrom('build', '/out/app', '/app')
    .user(65532, 65532)
    .entrypoint(['/app']);
  return { writer, ignored: ['bin', '*.test', '*.out'], notes };
}

function goVersion(module: string): string {
  const wanted = /^(?:toolchain[ \t]+go|go[ \t]+)(\d{1,3}\.\d{1,3})/gm;
  const found = [...module.matchAll(wanted)].map(([, version]) => version ?? '');
  return found.toSorted((a, b) => Number(b.split('.')[1]) - Number(a.split('.')[1]))[0] ?? defaultGo;
}

/** `replace x => ../y`, and workspaces. */
function hasLocalModules(files: ProjectFiles, module: string): boolean {
  return files.has('go.work') || /=>[ \t]*\.{0,2}\//.test(module);
}

/** The program: at the top, else in `cmd/`. */
function mainPackage(files: ProjectFiles, module: string, notes: string[]): string {
  if (isMain(files, '.')) return '.';
  const programs = files.namesIn('cmd').filter((name) => isMain(files, `cmd/${name}`));
  const own = /^module[ \t]+(\S+)/m.exec(module)?.[1]?.split('/').at(-1);
  const chosen = programs.find((name) => name === own || name === files.name) ?? programs[0];
  if (chosen === undefined) {
    notes.push('No package main was found at the top or in cmd/: name the package to build.');
    return '.';
  }
  if (programs.length > 1) notes.push(`Of the programs in cmd/ (${programs.join(', ')}), ${chosen} is built.`);
  return `./cmd/${chosen}`;
}

function isMain(files: ProjectFiles, directory: string): boolean {
  return files
    .namesIn(directory)
    .some(
      (name) =>
        name.endsWith('.go') &&
        !name.endsWith('_test.go') &&
        /^package[ \t]+main\b/m.test(files.head(directory === '.' ? name : `${directory}/${name}`)),
    );
}
