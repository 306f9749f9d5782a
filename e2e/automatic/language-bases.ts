import { cpSync, mkdirSync, realpathSync, writeFileSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import type { User } from '../support/user.ts';
import { DEBIAN_PYTHON } from './debian-root.ts';
import type { PackageIndex } from './package-index.ts';

/** Where the stand-ins for images of languages come from. */
export interface BaseSources {
  /** A directory with `root.tar`. */
  readonly debian: string;
  /** The package index, which the images of Docker Hub would not know. */
  readonly index: PackageIndex;
}

/**
 * Puts stand-ins for the images that automatic Dockerfiles start from into the user's store, under their names: Debian's
 * Python and pip, the Node.js that runs the tests with its npm, and tools that are not real (stand_in.py).
 */
export async function makeLanguageBases(user: User, { debian, index }: BaseSources): Promise<void> {
  const context = join(user.directory, 'bases');
  mkdirSync(context);
  cpSync(join(import.meta.dirname, 'stand_in.py'), join(context, 'stand_in.py'));
  writeFileSync(join(context, 'passwd'), 'root:x:0:0:root:/root:/bin/sh\n');
  writeFileSync(join(context, 'group'), 'root:x:0:\n');
  await user.runOk(['build', '--quiet', '--tag', 'debian-root', '--file', '-', debian], {
    input: 'FROM scratch\nADD root.tar /\n',
  });
  const contexts = [`node=${dirname(realpathSync(process.execPath))}`, `npm=${npmDirectory()}`];
  for (const [name, text] of Object.entries(dockerfiles(index))) {
    const flags = contexts.map((one) => `--build-context=${one}`);
    await user.runOk(['build', '--quiet', '--tag', name, ...flags, '--file', '-', context], { input: text });
  }
}

/** The npm on PATH, wherever that is a link to. */
function npmDirectory(): string {
  for (const directory of (process.env['PATH'] ?? '').split(delimiter)) {
    try {
      // npm/bin/npm-cli.js
      return dirname(dirname(realpathSync(join(directory, 'npm'))));
    } catch {
      // Not here.
    }
  }
  throw new Error('no npm on PATH');
}

const pythonImage = `python:${DEBIAN_PYTHON}-slim`;

/** In an order in which each finds its base. */
function dockerfiles({ url, secureUrl }: PackageIndex): Readonly<Record<string, string>> {
  return {
    [pythonImage]: `FROM debian-root
COPY passwd group /etc/
ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin PIP_DISABLE_PIP_VERSION_CHECK=1
ENV PIP_INDEX_URL=${secureUrl}/simple/ PIP_TRUSTED_HOST=127.0.0.1 STAND_IN_URL=${url}/calls
# What configuring the packages would have made, and Python's compiled files of what pip needs.
RUN <<SH
set -e
rm /usr/lib/python${DEBIAN_PYTHON}/EXTERNALLY-MANAGED
ln -s python3 /usr/bin/python
touch /etc/ssl/certs/ca-certificates.crt
pip download --no-deps --dest /tmp dep
rm -rf /tmp/* /root/.cache
SH
CMD ["python3"]
`,
    'node:24-slim': `FROM ${pythonImage}
COPY --from=node node /usr/local/bin/
COPY --from=npm . /usr/local/lib/node_modules/npm/
COPY --chmod=755 stand_in.py /usr/local/bin/yarn
RUN ["ln", "-s", "../lib/node_modules/npm/bin/npm-cli.js", "/usr/local/bin/npm"]
RUN ["useradd", "--uid", "1000", "--user-group", "--create-home", "node"]
ENV npm_config_registry=${url}/ npm_config_audit=false npm_config_fund=false npm_config_update_notifier=false
CMD ["node"]
`,
    'oven/bun:1-slim': `FROM node:24-slim
COPY --chmod=755 stand_in.py /usr/local/bin/bun
RUN ["useradd", "--uid", "1001", "--user-group", "--create-home", "bun"]
CMD ["bun"]
`,
    'golang:1.25': `FROM ${pythonImage}
COPY --chmod=755 stand_in.py /usr/local/go/bin/go
ENV PATH=/go/bin:/usr/local/go/bin:$PATH GOPATH=/go
WORKDIR /go
`,
    [`prefecthq/prefect:3.1.0-python${DEBIAN_PYTHON}`]: `FROM ${pythonImage}
RUN ["pip", "install", "--no-cache-dir", "uv"]
`,
    'nginxinc/nginx-unprivileged:stable-alpine-slim': `FROM e2e/busybox:1
EXPOSE 8080
USER 101
CMD ["httpd", "-f", "-p", "8080", "-h", "/usr/share/nginx/html"]
`,
  };
}
