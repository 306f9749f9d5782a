import { dirname } from 'node:path/posix';
import { DockerfileWriter } from '../builder/dockerfile-writer.ts';
import { copyLine } from '../builder/instructions/copy-lines.ts';
import { expand } from '../builder/instructions/dockerfile-text.ts';
import type { RunMountOptions } from '../builder/instructions/run-mount-flag.ts';
import { defaultPythonVersion } from '../builder/prefect-image.ts';
import type { DraftedDockerfile } from './found-project.ts';
import type { ProjectFiles } from './project-files.ts';
import { hasLocalPackages, pyproject, pythonCommand, wantedPython } from './python-project.ts';
import { requirementFiles } from './requirements.ts';
import { tomlText } from './toml-sections.ts';

const ignored = ['**/*.pyc', '**/venv', '**/.pytest_cache', '**/.mypy_cache', '**/*.egg-info'];

const pipCache: RunMountOptions = { type: 'cache', target: '/root/.cache/pip' };
const uvCache: RunMountOptions = { type: 'cache', target: '/root/.cache/uv' };
const poetryCache: RunMountOptions = { type: 'cache', target: '/root/.cache/pypoetry' };

/** uv: the environment is made from `uv.lock` in a stage of its own. */
export function uvDockerfile(files: ProjectFiles): DraftedDockerfile {
  const sections = pyproject(files);
  const writer = buildStage(files, ['uv']).env({
    UV_COMPILE_BYTECODE: '1',
    UV_LINK_MODE: 'copy',
    // Other than .python-version, which may name a patch that the image does not have.
    UV_PYTHON: pythonVersion(files),
    UV_PYTHON_DOWNLOADS: 'never',
  });
  const notes: string[] = [];
  if (hasLocalPackages(files)) {
    notes.push(localPackagesNote);
  } else {
    const inner = sections.has('tool.uv.workspace') ? '--no-install-workspace' : '--no-install-project';
    const settings = files.has('uv.toml') ? ['uv.toml'] : [];
    writer
      .addLine(copyLine(['pyproject.toml', 'uv.lock', ...settings], './'))
      .run(['uv', 'sync', '--frozen', '--no-dev', inner], { mounts: [uvCache] });
  }
  // Only now all members of a workspace are there: whether the lock file is up to date can be told.
  writer.addLine(copyLine(['.'], '.')).run(['uv', 'sync', '--locked', '--no-dev'], { mounts: [uvCache] });
  return finished(files, environmentStage(files, writer), notes);
}

/** Poetry: the same with `poetry.lock`, which may be missing. */
export function poetryDockerfile(files: ProjectFiles): DraftedDockerfile {
  const install = ['poetry', 'install', '--only', 'main'];
  const isPackage = isPoetryPackage(files);
  const locked = files.has('poetry.lock');
  const isLocal = hasLocalPackages(files);
  const settings = files.has('poetry.toml') ? ['poetry.toml'] : [];
  const writer = buildStage(files, ['poetry']).env({
    POETRY_NO_INTERACTION: '1',
    POETRY_VIRTUALENVS_CREATE: 'true',
    POETRY_VIRTUALENVS_IN_PROJECT: 'true',
  });
  if (!isLocal) {
    writer
      .addLine(copyLine(['pyproject.toml', ...(locked ? ['poetry.lock'] : []), ...settings], './'))
      .run([...install, '--no-root'], { mounts: [poetryCache] });
  }
  writer.addLine(copyLine(['.'], '.'));
  if (isPackage || isLocal) writer.run([...install, ...(isPackage ? [] : ['--no-root'])], { mounts: [poetryCache] });
  const notes = [
    ...(locked ? [] : ['There is no poetry.lock: every build may find other versions.']),
    ...(isLocal ? [localPackagesNote] : []),
  ];
  return finished(files, environmentStage(files, writer), notes);
}

/** Poetry fails for a package that has no files. */
function isPoetryPackage(files: ProjectFiles): boolean {
  const sections = pyproject(files);
  const poetry = sections.get('tool.poetry');
  if (poetry?.get('package-mode') === 'false') return false;
  const name = tomlText(poetry?.get('name') ?? sections.get('project')?.get('name') ?? '').replace(/[-.]/g, '_');
  return poetry?.has('packages') === true || files.hasDirectory('src') || (name !== '' && files.has(name));
}

/** pip: `requirements.txt`, or the project as a package. */
export function pipDockerfile(files: ProjectFiles): DraftedDockerfile {
  const writer = new DockerfileWriter().from(pythonImage(files));
  const install = ['pip', 'install', '--no-warn-script-location'];
  const notes: string[] = [];
  writer.run(['useradd', '--create-home', '--uid', '10001', 'app']).workdir('/app');
  const everything = copyLine(['.'], '.', { chown: 'app:app' });
  if (!files.has('requirements.txt')) {
    writer.addLine(everything).run([...install, '.'], { mounts: [pipCache] });
    notes.push('Without a requirements.txt or a lock file every change of a file installs everything again.');
    return finished(files, writer, notes);
  }
  const wanted = requirementFiles(files, 'requirements.txt');
  for (const name of wanted ?? [])
    writer.addLine(copyLine([name], `./${dirname(name) === '.' ? '' : `${dirname(name)}/`}`));
  if (wanted === undefined) {
    writer.addLine(everything);
    notes.push('requirements.txt names files of the project: every change of a file installs everything again.');
  }
  writer.run([...install, '-r', 'requirements.txt'], { mounts: [pipCache] });
  if (wanted !== undefined) writer.addLine(everything);
  return finished(files, writer, notes);
}

const localPackagesNote =
  'Packages come from directories of the project: every change of a file installs everything again.';

function pythonVersion(files: ProjectFiles): string {
  return wantedPython(files) ?? defaultPythonVersion;
}

function pythonImage(files: ProjectFiles): string {
  return `python:${pythonVersion(files)}-slim`;
}

function buildStage(files: ProjectFiles, tools: readonly string[]): DockerfileWriter {
  return new DockerfileWriter()
    .from(pythonImage(files), { as: 'build' })
    .run(['pip', 'install', ...tools], { mounts: [pipCache] })
    .workdir('/app');
}

/** The image itself: no build tools, nobody is root. */
function environmentStage(files: ProjectFiles, writer: DockerfileWriter): DockerfileWriter {
  return (
    writer
      .addLine('')
      .from(pythonImage(files))
      .run(['useradd', '--create-home', '--uid', '10001', 'app'])
      // Made by the copy, the directory belongs to the user, too.
      .copyFrom('build', '/app', '/app', { chown: 'app:app' })
      .workdir('/app')
      .env('PATH', expand('/app/.venv/bin:$PATH'))
  );
}

function finished(files: ProjectFiles, writer: DockerfileWriter, notes: readonly string[] = []): DraftedDockerfile {
  writer.env('PYTHONUNBUFFERED', '1').user('app');
  const start = pythonCommand(files);
  if (start === undefined) {
    return { writer, ignored, notes: [...notes, 'Nothing says what the program is: add a CMD.'] };
  }
  if (start.port !== undefined) writer.expose(start.port);
  writer.cmd(start.command);
  return { writer, ignored, notes };
}
