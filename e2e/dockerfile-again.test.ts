import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { boxwright, boxwrightOk, temporaryOf } from './support/boxwright.ts';
import { run, runOk } from './support/run.ts';
import { makeScene, missingBases, missingRun, type Scene } from './support/scene.ts';
import { removeTemporaryDirectoriesAfterEach } from './support/temporary.ts';

removeTemporaryDirectoriesAfterEach();

/** What is compared between an image and the one that was built again. */
interface Inspected {
  readonly Config: unknown;
  readonly RootFS: { readonly Layers: readonly string[] };
}

const FILES = { a: 'a\n', 'src/b c': 'b\n', 'src/deep/d': 'd\n', 'run.sh': '#!/bin/sh\n' };

/** Without RUN: what anybody can build. */
const COPIES = `FROM e2e/busybox:1 AS tools
COPY src/deep /opt/tools
FROM e2e/busybox:1
ARG VERSION=1.0 FLAVOUR
LABEL title="two words" version=$VERSION
ENV GREETING="hello \\"you\\"" EMPTY="" DOLLAR='$x'
WORKDIR /srv/app
COPY --from=tools /opt/tools /opt/tools
COPY . .
COPY --chmod=755 run.sh a /usr/local/bin/
COPY <<CONF /etc/app.conf
key = $VERSION
CONF
USER 1000:1000
EXPOSE 80 53/udp
VOLUME ["/data", "/more data"]
HEALTHCHECK --interval=90s --retries=2 CMD test -f /etc/app.conf
STOPSIGNAL SIGUSR1
ONBUILD COPY . /again
SHELL ["/bin/sh", "-eu", "-c"]
ENTRYPOINT exec "$0"
CMD ["--version", "a b"]
`;

const RUNS = `FROM e2e/busybox:1
ARG NAME=world
RUN set -e; \\
    mkdir -p /made; \\
    echo "hello   $NAME" > /made/file
RUN <<EOF
echo one > /made/one
echo "two  blanks" > /made/two
EOF
RUN ["/bin/sh", "-c", "echo three > /made/three"]
RUN cat <<EOF > /made/four
four $NAME
EOF
COPY a /made/
RUN rm /made/one && ln -s two /made/link
CMD cat /made/file
`;

describe.skipIf(missingBases() !== undefined)('boxwright dockerfile', () => {
  it('gives a Dockerfile that builds the same image, without RUN', async () => {
    const scene = await makeScene({ ...FILES, Dockerfile: COPIES });
    const { image, rebuilt } = await builtTwice(scene);
    expect(rebuilt.Config).toEqual(image.Config);
    expect(rebuilt.RootFS.Layers).toHaveLength(image.RootFS.Layers.length);
    await expectSameFiles(scene);
  });

  it.skipIf(missingRun() !== undefined)('gives a Dockerfile that builds the same image, with RUN', async () => {
    const scene = await makeScene({ ...FILES, Dockerfile: RUNS });
    const { image, rebuilt } = await builtTwice(scene);
    expect(rebuilt.Config).toEqual(image.Config);
    await expectSameFiles(scene);
  });

  it.skipIf(missingRun() !== undefined)('builds it again by itself, and keeps nothing of that', async () => {
    const scene = await makeScene({ ...FILES, Dockerfile: RUNS });
    await build(scene);
    const before = await storedFiles(scene);
    const result = await boxwright(scene.home, ['dockerfile', '--verify', '--format', 'json', 'app:1']);
    expect(result.stderr).toBe('');
    expect(result.code).toBe(0);
    const { verification } = JSON.parse(result.stdout.toString());
    expect(verification.level).toBe('build');
    const fields: { readonly field: string; readonly status: string }[] = verification.fields;
    expect(fields.filter(({ status }) => status !== 'equal').map(({ field, status }) => `${field} ${status}`)).toEqual([
      'rootfs unknown',
      'created unknown',
    ]);
    expect(await storedFiles(scene)).toBe(before);
    expect(readdirSync(temporaryOf(scene.home))).toEqual([]);
  });

  it('reads an image that is only in an archive, whose base nobody has', async () => {
    const scene = await makeScene({ ...FILES, Dockerfile: COPIES });
    await build(scene);
    const archive = join(scene.directory, 'app.tar');
    await boxwrightOk(scene.home, ['save', '--format', 'oci', '-o', archive, 'app:1']);
    const home = join(scene.directory, 'other-home');
    const { stdout } = await boxwrightOk(home, ['dockerfile', `oci-archive:${archive}`]);
    const text = stdout.toString();
    expect(text).toMatch(/^# Dockerfile of oci-archive:/);
    expect(text).toContain('COPY --from=lost-1 /opt/tools /opt/tools\n');
    expect(text).toContain('HEALTHCHECK --interval=90s --retries=2 CMD test -f /etc/app.conf\n');
    expect(text).toContain('VOLUME ["/data", "/more data"]\n');
    const verified = await boxwright(home, ['dockerfile', '--verify', '--no-run', `oci-archive:${archive}`]);
    expect(verified.stderr).not.toContain('differs');
    expect(verified.code).toBe(0);
  });
});

async function build(scene: Scene): Promise<void> {
  await boxwrightOk(scene.home, ['build', '--network=none', '-q', '-t', 'app:1', '--label', 'by=a b', scene.context]);
}

/** Builds, extracts, and runs the very command that is printed. */
async function builtTwice(scene: Scene): Promise<{ readonly image: Inspected; readonly rebuilt: Inspected }> {
  await build(scene);
  const options = { cwd: scene.directory };
  const { stdout } = await boxwrightOk(
    scene.home,
    ['dockerfile', '--extract', 'out', '--format', 'json', 'app:1'],
    options,
  );
  const { extracted } = JSON.parse(stdout.toString());
  expect(extracted.findings).toEqual([]);
  const [command, subcommand, ...args] = extracted.command;
  expect([command, subcommand]).toEqual(['boxwright', 'build']);
  await boxwrightOk(scene.home, ['build', '--network=none', '-q', '-t', 'again:1', ...args], options);
  return { image: await inspect(scene, 'app:1'), rebuilt: await inspect(scene, 'again:1') };
}

async function inspect(scene: Scene, name: string): Promise<Inspected> {
  const { stdout } = await boxwrightOk(scene.home, ['inspect', name]);
  return JSON.parse(stdout.toString())[0];
}

async function storedFiles({ home }: Scene): Promise<string> {
  const { stdout } = await runOk('find', [
    join(home, 'blobs'),
    join(home, 'tags'),
    join(home, 'snapshots'),
    '-maxdepth',
    '2',
  ]);
  return sortedLines(stdout);
}

/** Names, types, modes, owners, links and content; times of directories are those of the builds. */
async function expectSameFiles(scene: Scene): Promise<void> {
  const [one, other] = [join(scene.directory, 'one'), join(scene.directory, 'other')];
  await boxwrightOk(scene.home, ['unpack', 'app:1', one]);
  await boxwrightOk(scene.home, ['unpack', 'again:1', other]);
  const differences = await run('diff', ['-r', '--no-dereference', one, other]);
  expect(differences.stdout.toString() + differences.stderr).toBe('');
  const format = '%y %m %U %G %l %p\n';
  const list = async (cwd: string): Promise<string> =>
    sortedLines((await runOk('find', ['.', '-printf', format], { cwd })).stdout);
  expect(await list(other)).toBe(await list(one));
}

function sortedLines(output: Buffer): string {
  return output.toString().split('\n').sort().join('\n');
}
