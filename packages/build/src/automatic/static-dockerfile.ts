import { DockerfileWriter } from '../builder/dockerfile-writer.ts';
import { copyLine } from '../builder/instructions/copy-lines.ts';
import type { DraftedDockerfile } from './found-project.ts';
import type { ProjectFiles } from './project-files.ts';

const image = 'nginxinc/nginx-unprivileged:stable-alpine-slim';
const root = '/usr/share/nginx/html/';

/** Directory with the pages, when a project is nothing but pages. */
export function staticDirectory(files: ProjectFiles): string | undefined {
  return ['.', 'public', 'dist', 'build', 'site', '_site', 'www'].find((directory) =>
    files.has(directory === '.' ? 'index.html' : `${directory}/index.html`),
  );
}

/** Pages as they are, served without root on port 8080. */
export function staticDockerfile(directory: string): DraftedDockerfile {
  const writer = new DockerfileWriter()
    .from(image)
    .addLine(copyLine([directory], root))
    .expose(8080);
  return { writer, ignored: ['**/.*', '!**/.well-known', '*.md'], notes: [] };
}

/** The same with pages that a stage has built. */
export function addStaticStage(
  writer: DockerfileWriter,
  pages: { readonly from: string; readonly path: string },
): DockerfileWriter {
  return writer.from(image).copyFrom(pages.from, `${pages.path}/`, root).expose(8080);
}
