import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { ProjectFiles } from './project-files.ts';
import { wantedPython } from './python-project.ts';

/** Versions for {@link getPrefectImageName}, as far as a project tells them. */
export interface PrefectVersions {
  readonly prefectVersion: string | undefined;
  /** `3.12` */
  readonly pythonVersion: string | undefined;
}

/**
 * The versions of Prefect and Python that a project uses: what its requirements or lock file pin, else what is installed in
 * its virtual environment (`$VIRTUAL_ENV`, `.venv`). Nothing is run.
 *
 * @throws BoxwrightError CONTEXT_NOT_FOUND
 */
export function findPrefectVersions(
  directory: string,
  env: Readonly<Record<string, string | undefined>> = process.env,
): PrefectVersions {
  return prefectVersionsOf(new ProjectFiles(directory), env);
}

/** The same for a project that is being read already. */
export function prefectVersionsOf(
  files: ProjectFiles,
  env: Readonly<Record<string, string | undefined>>,
): PrefectVersions {
  const installed = [env['VIRTUAL_ENV'] || undefined, join(files.directory, '.venv')]
    .map((place) => (place === undefined ? undefined : installedPrefect(place)))
    .find((found) => found !== undefined);
  return {
    prefectVersion: pinnedPrefect(files) ?? installed?.prefect,
    pythonVersion: wantedPython(files) ?? installed?.python,
  };
}

function pinnedPrefect(files: ProjectFiles): string | undefined {
  const required = /^[ \t]*prefect(?:\[[^\]\n]{0,200}\])?[ \t]*===?[ \t]*([\w.!+-]{1,100})[ \t]*(?:[;#\r].*)?$/im.exec(
    files.text('requirements.txt') ?? '',
  )?.[1];
  if (required !== undefined) return required;
  for (const name of ['uv.lock', 'poetry.lock']) {
    const locked = /^name = "prefect"\r?\nversion = "([\w.!+-]+)"/m.exec(files.text(name) ?? '')?.[1];
    if (locked !== undefined) return locked;
  }
  return undefined;
}

function installedPrefect(environment: string): { readonly prefect: string; readonly python: string } | undefined {
  for (const name of namesIn(join(environment, 'lib'))) {
    const python = /^python(\d+\.\d+)$/.exec(name)?.[1];
    if (python === undefined) continue;
    for (const file of namesIn(join(environment, 'lib', name, 'site-packages'))) {
      const prefect = /^prefect-([\w.!+]+)\.dist-info$/.exec(file)?.[1];
      if (prefect !== undefined) return { prefect, python };
    }
  }
  return undefined;
}

function namesIn(directory: string): readonly string[] {
  try {
    return readdirSync(directory);
  } catch {
    return [];
  }
}
