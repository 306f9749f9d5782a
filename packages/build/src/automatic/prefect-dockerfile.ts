import { DockerfileWriter } from '../builder/dockerfile-writer.ts';
import { copyLine } from '../builder/instructions/copy-lines.ts';
import { getPrefectImageName } from '../builder/prefect-image.ts';
import type { DraftedDockerfile } from './found-project.ts';
import { prefectVersionsOf } from './prefect-versions.ts';
import type { ProjectFiles } from './project-files.ts';
import { pyproject, pythonDependencies } from './python-project.ts';

/** What Prefect's base image is chosen by; what is not given is found out (see `findPrefectVersions`). */
export interface PrefectImageOptions {
  readonly prefectVersion?: string;
  /** `3.12` */
  readonly pythonVersion?: string;
  readonly flavor?: string;
  readonly env?: Readonly<Record<string, string | undefined>>;
}

/**
 * Prefect's own automatic Dockerfile: its base image, the requirements, everything into `/opt/prefect/DIRECTORY`. With a
 * `requirements.txt`, or with nothing, the lines are exactly Prefect's; other than there, dependencies of `uv.lock`, `poetry.lock`
 * and `pyproject.toml` are installed too.
 */
export function prefectDockerfile(files: ProjectFiles, options: PrefectImageOptions = {}): DraftedDockerfile {
  const found = prefectVersionsOf(files, options.env ?? process.env);
  const { prefectVersion = found.prefectVersion, pythonVersion = found.pythonVersion, flavor } = options;
  const place = `/opt/prefect/${files.name === '' ? 'flows' : files.name}`;
  const writer = new DockerfileWriter().from(getPrefectImageName(prefectVersion, pythonVersion, flavor));
  for (const line of dependencyLines(files, place)) writer.addLine(line);
  writer.addLine(copyLine(['.'], `${place}/`)).workdir(`${place}/`);
  const notes =
    prefectVersion === undefined ? ['No version of Prefect is pinned: the newest image of Prefect 3 is taken.'] : [];
  return { writer, ignored: [], notes };
}

function dependencyLines(files: ProjectFiles, place: string): readonly string[] {
  const copy = (name: string): string => copyLine([name], `${place}/${name}`);
  const run = (command: string): string => new DockerfileWriter().run(command).dockerfileLines.join('\n');
  if (files.has('requirements.txt')) {
    return [copy('requirements.txt'), run(`uv pip install -r ${shellWord(`${place}/requirements.txt`)}`)];
  }
  if (!files.has('pyproject.toml')) return [];
  const list = '/tmp/requirements.txt';
  const install = `uv pip install -r ${list} && rm ${list}`;
  if (files.has('uv.lock')) {
    const from = `--project ${shellWord(place)}`;
    return [
      copy('pyproject.toml'),
      copy('uv.lock'),
      run(`uv export ${from} --frozen --no-dev --no-emit-workspace -o ${list} && ${install}`),
    ];
  }
  if (files.has('poetry.lock')) {
    const poetry = 'uvx --with poetry-plugin-export poetry';
    return [
      copy('pyproject.toml'),
      copy('poetry.lock'),
      run(`${poetry} --directory ${shellWord(place)} export --only main -o ${list} && ${install}`),
    ];
  }
  if (!pyproject(files).has('project')) return [];
  return [copy('pyproject.toml'), run(`uv pip install -r ${shellWord(`${place}/pyproject.toml`)}`)];
}

/** A word for the shell that means exactly its characters. */
function shellWord(text: string): string {
  return /^[\w./@%+,:=-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}

/** Files at the top are looked at, not more. */
const mostSources = 200;

/** True for a project of Prefect flows: `prefect.yaml`, a dependency on Prefect, or a file at the top that imports it. */
export function isFlowProject(files: ProjectFiles): boolean {
  if (files.has('prefect.yaml') || pythonDependencies(files).has('prefect')) return true;
  const sources = files.names().filter((name) => name.endsWith('.py'));
  return sources
    .slice(0, mostSources)
    .some((name) => /^[ \t]*(?:from prefect(?:\.\w+)* import |import prefect\b)/m.test(files.head(name)));
}
