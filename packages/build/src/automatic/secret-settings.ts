import type { RunMountOptions } from '../builder/instructions/run-mount-flag.ts';
import type { ProjectFiles } from './project-files.ts';

/** A file that may hold credentials, as its package manager writes them; those that name a variable hold none. */
interface SettingsFile {
  readonly name: string;
  /** Of the secret. */
  readonly id: string;
  readonly credential: RegExp;
}

const settingsFiles: readonly SettingsFile[] = [
  { name: '.npmrc', id: 'npmrc', credential: /_(?:auth|authToken|password)[ \t]*=[ \t]*["']?[^\s"'$]/i },
  { name: '.yarnrc.yml', id: 'yarnrc', credential: /npmAuth(?:Token|Ident)["']?[ \t]*:[ \t]*["']?[^\s"'$]/ },
  { name: 'bunfig.toml', id: 'bunfig', credential: /(?:token|password)["']?[ \t]*=[ \t]*["'][^"'$]/i },
];

/** `https://name:password@host` */
const urlCredential = /:\/\/[^\s/:@"']{1,200}:[^\s/@"'$][^\s/@"']{0,200}@/;

/** Files with credentials must not be in a layer: they are mounted. */
export function secretSettings(files: ProjectFiles): {
  readonly mounts: readonly RunMountOptions[];
  /** Names of the files, at the top. */
  readonly skipped: readonly string[];
  readonly notes: readonly string[];
} {
  const found = settingsFiles.filter(({ name, credential }) => {
    const text = files.text(name) ?? '';
    return credential.test(text) || urlCredential.test(text);
  });
  return {
    mounts: found.map(({ name, id }) => ({ type: 'secret', id, target: `/app/${name}` })),
    skipped: found.map(({ name }) => name),
    notes: found.map(
      ({ name, id }) =>
        `${name} holds credentials and is left out of the image: build with --secret id=${id},src=${name}.`,
    ),
  };
}
