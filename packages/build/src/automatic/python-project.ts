import type { ProjectFiles } from './project-files.ts';
import { tomlSections, tomlText, tomlTexts } from './toml-sections.ts';
import { chooseVersion } from './version-choice.ts';

/** Versions of Python that there are images of, the one that most packages are ready for first. */
const pythonVersions = ['3.12', '3.13', '3.11', '3.10', '3.14', '3.9', '3.8'] as const;

type Sections = ReadonlyMap<string, ReadonlyMap<string, string>>;

const read = new WeakMap<ProjectFiles, Sections>();

/** `pyproject.toml` as far as it matters; empty tables when there is none. */
export function pyproject(files: ProjectFiles): Sections {
  const known = read.get(files);
  if (known !== undefined) return known;
  const sections = tomlSections(files.text('pyproject.toml') ?? '');
  read.set(files, sections);
  return sections;
}

/** The minor version of Python that a project asks for (`.python-version`, `requires-python`); undefined when it does not. */
export function wantedPython(files: ProjectFiles): string | undefined {
  const pinned = /^(?:cpython-)?v?(\d{1,3}\.\d{1,3})(?:\.\d{1,3})?\r?$/m.exec(files.text('.python-version') ?? '')?.[1];
  if (pinned !== undefined) return pinned;
  const sections = pyproject(files);
  const range =
    sections.get('project')?.get('requires-python') ?? sections.get('tool.poetry.dependencies')?.get('python');
  return range === undefined ? undefined : chooseVersion(pythonVersions, tomlText(range));
}

/** True when packages come from directories beside the project's own files: `{ path = "lib" }`, `lib @ file:lib`. */
export function hasLocalPackages(files: ProjectFiles): boolean {
  const sections = pyproject(files);
  if (/@\s*file:/.test(sections.get('project')?.get('dependencies') ?? '')) return true;
  return [...sections].some(
    ([name, section]) =>
      /^tool\.(?:uv\.sources|poetry\.dependencies)(?:\.|$)/.test(name) &&
      (section.has('path') || [...section.values()].some((value) => /[{,]\s*"?path"?\s*=/.test(value))),
  );
}

/** Names of the packages that a project asks for, lower case with `-`, without extras and versions. */
export function pythonDependencies(files: ProjectFiles): ReadonlySet<string> {
  const sections = pyproject(files);
  const written = [
    ...(files.text('requirements.txt') ?? '').split('\n'),
    ...tomlTexts(sections.get('project')?.get('dependencies') ?? ''),
    ...(sections.get('tool.poetry.dependencies')?.keys() ?? []),
  ];
  return new Set(
    written.flatMap((line) => {
      const name = /^\s*([a-zA-Z0-9][\w.-]*)/.exec(line)?.[1];
      return name === undefined ? [] : [name.toLowerCase().replace(/[-_.]+/g, '-')];
    }),
  );
}

/** What starts the program, in exec form, and the port it listens on; undefined when nothing tells. */
export function pythonCommand(
  files: ProjectFiles,
): { readonly command: readonly string[]; readonly port?: number } | undefined {
  const dependencies = pythonDependencies(files);
  for (const module of ['main', 'app', 'server']) {
    const text = files.head(`${module}.py`);
    const name = /^(\w{1,100})[ \t]*(?::[^=\n]{1,100})?=[ \t]*(?:fastapi\.)?(?:FastAPI|Starlette)\(/m.exec(text)?.[1];
    if (name !== undefined && (dependencies.has('uvicorn') || dependencies.has('fastapi'))) {
      return { command: ['uvicorn', `${module}:${name}`, '--host', '0.0.0.0', '--port', '8000'], port: 8000 };
    }
    const flask = /^(\w{1,100})[ \t]*(?::[^=\n]{1,100})?=[ \t]*(?:flask\.)?Flask\(/m.exec(text)?.[1];
    if (flask !== undefined) {
      return dependencies.has('gunicorn')
        ? { command: ['gunicorn', '--bind', '0.0.0.0:8000', `${module}:${flask}`], port: 8000 }
        : {
            command: ['flask', '--app', `${module}:${flask}`, 'run', '--host', '0.0.0.0', '--port', '8000'],
            port: 8000,
          };
    }
  }
  if (files.has('manage.py')) return { command: ['python', 'manage.py', 'runserver', '0.0.0.0:8000'], port: 8000 };
  const sections = pyproject(files);
  const scripts = [
    ...(sections.get('project.scripts')?.keys() ?? []),
    ...(sections.get('tool.poetry.scripts')?.keys() ?? []),
  ];
  const [script, ...others] = scripts.filter((name) => /^[\w.-]{1,100}$/.test(name));
  if (script !== undefined && others.length === 0) return { command: [script] };
  const file = ['main.py', 'app.py', 'server.py', '__main__.py'].find((name) => files.has(name));
  return file === undefined ? undefined : { command: ['python', file] };
}
