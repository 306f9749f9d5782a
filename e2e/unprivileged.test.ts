import { createHash } from 'node:crypto';
import { chmodSync, chownSync, existsSync, lstatSync, mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { summarizeArchive } from './compare/summary.ts';
import { boxwrightPath, temporaryOf } from './support/boxwright.ts';
import { Leftovers } from './support/leftovers.ts';
import { type RunOptions, type RunResult, run } from './support/run.ts';
import { baseArchive, makeScene, missingBases, type Scene, unfinishedWork } from './support/scene.ts';
import { sendWhenItSays } from './support/send-when-it-says.ts';
import { removeTemporaryDirectoriesAfterEach } from './support/temporary.ts';
import {
  canMakeNamespaces,
  isRoot,
  runWithSubordinateIds,
  UNPRIVILEGED_USER,
  whyNoOtherUser,
} from './support/unprivileged.ts';

removeTemporaryDirectoriesAfterEach();

const USER = UNPRIVILEGED_USER;
const namespaces = isRoot && (await canMakeNamespaces());

const PLAIN = 'FROM e2e/rich:1\nCOPY --chown=app:staff --chmod=640 a /owned/a\nADD dir /dir\nWORKDIR /made\nENV A=1\n';
const WITH_RUN = `${PLAIN}USER root\nRUN id -u > /id && mkdir /d && touch /d/f && chown 1:1 /d/f 2>/dev/null; rm /links/a\n`;
const FILES = { Dockerfile: PLAIN, 'Dockerfile.run': WITH_RUN, a: 'a\n', 'dir/b': 'b\n' };

/** A scene whose every part belongs to the user, the base loaded by the user. */
async function userScene(as: (scene: Scene, args: string[]) => Promise<RunResult>): Promise<Scene> {
  const scene = await makeScene(FILES, []);
  for (const path of [scene.home, temporaryOf(scene.home)]) mkdirSync(path, { recursive: true });
  for (const path of [scene.directory, scene.home, temporaryOf(scene.home), scene.context]) chownSync(path, USER, USER);
  chmodSync(scene.directory, 0o755);
  const loaded = await as(scene, ['load', '--input', baseArchive('rich')]);
  expect(loaded.stderr + loaded.stdout.toString(), 'load').not.toMatch(/error:/);
  return scene;
}

/** The command as a user without any privilege. */
function asUser(scene: Scene, args: string[]): Promise<RunResult> {
  return run(
    'setpriv',
    [`--reuid=${USER}`, `--regid=${USER}`, '--clear-groups', '--bounding-set=-all', boxwrightPath, ...args],
    { cwd: scene.directory, env: environment(scene) },
  );
}

/** A user who has been given a range of ids. */
function asUserWithSubordinateIds(
  scene: Scene,
  args: string[],
  onStart: RunOptions['onStart'] = () => {},
): Promise<RunResult> {
  const options = { cwd: scene.directory, env: environment(scene), onStart };
  return runWithSubordinateIds(scene.directory, [boxwrightPath, ...args], options);
}

/** The same where, besides, no user namespace can be made: limits of user namespaces are namespaced themselves. */
function asUserWithoutNamespaces(scene: Scene, args: string[]): Promise<RunResult> {
  if (!namespaces) return asUser(scene, args);
  const script =
    'echo 0 > /proc/sys/user/max_user_namespaces && exec setpriv --inh-caps=-all --ambient-caps=-all --bounding-set=-all --no-new-privs "$@"';
  return run(
    'setpriv',
    [
      ...[`--reuid=${USER}`, `--regid=${USER}`, '--clear-groups'],
      ...['unshare', '--user', `--map-user=${USER}`, `--map-group=${USER}`, '--keep-caps'],
      ...['sh', '-c', script, 'sh', boxwrightPath, ...args],
    ],
    { cwd: scene.directory, env: environment(scene) },
  );
}

function environment(scene: Scene): NodeJS.ProcessEnv {
  return {
    PATH: process.env['PATH'],
    HOME: scene.directory,
    BOXWRIGHT_HOME: scene.home,
    TMPDIR: temporaryOf(scene.home),
  };
}

function buildArgs(scene: Scene, file: string): string[] {
  const dest = join(scene.directory, 'home/out.tar');
  return [
    'build',
    '--network=none',
    '--file',
    join(scene.context, file),
    '--output',
    `type=docker,dest=${dest}`,
    scene.context,
  ];
}

/** What the files of an image look like, without times. */
async function files(archive: string): Promise<string[]> {
  const image = await summarizeArchive(archive);
  return image.layers.slice(4).flatMap((layer) =>
    layer
      .filter(({ type }) => type !== 'dir')
      .map(({ path, type, mode, uid, gid, sha256 }) => `${path} ${type} ${mode.toString(8)} ${uid}:${gid} ${sha256}`)
      .toSorted(),
  );
}

const noOtherUser = await whyNoOtherUser();

describe.skipIf(missingBases() !== undefined || noOtherUser !== undefined)(
  `without privilege${noOtherUser === undefined ? '' : ` (${noOtherUser})`}`,
  () => {
    it('a build without RUN works where even user namespaces are forbidden, owners and capabilities kept', async () => {
      const scene = await userScene(asUserWithoutNamespaces);
      const result = await asUserWithoutNamespaces(scene, buildArgs(scene, 'Dockerfile'));
      expect(result.stderr).not.toMatch(/error:/i);
      expect(result.code).toBe(0);
      const image = await summarizeArchive(join(scene.home, 'out.tar'));
      const owned = image.layers.flat().find(({ path }) => path === 'owned/a');
      expect(owned).toMatchObject({ uid: 1000, gid: 50, mode: 0o640 });
      const ping = image.layers.flat().find(({ path }) => path === 'usr/bin/ping');
      expect(ping?.xattrs).toHaveProperty(['security.capability']);
    });

    it('a RUN is refused before anything is done there, and says why', async () => {
      const scene = await userScene(asUserWithoutNamespaces);
      const result = await asUserWithoutNamespaces(scene, buildArgs(scene, 'Dockerfile.run'));
      expect(result.code).toBe(1);
      expect(result.stderr).toMatch(/\[SANDBOX_UNAVAILABLE\]/);
      expect(result.stderr).toMatch(/user namespace/i);
      expect(result.stderr).toMatch(/hint:/);
      expect(result.stderr).not.toMatch(/INTERNAL/);
      expect(existsSync(join(scene.home, 'out.tar'))).toBe(false);
      expect(unfinishedWork(scene.home)).toEqual([]);
    });

    it('a user with subordinate ids builds with RUN, and leaves nothing behind', async ({ skip }) => {
      if (!namespaces) skip('this kernel gives users no user namespaces');
      const scene = await userScene(asUserWithSubordinateIds);
      const leftovers = new Leftovers(scene.home);
      const result = await asUserWithSubordinateIds(scene, buildArgs(scene, 'Dockerfile.run'));
      expect(result.stderr).not.toMatch(/error:/i);
      expect(result.code).toBe(0);
      const made = await files(join(scene.home, 'out.tar'));
      expect(made).toContain(`id file 644 0:0 ${createHash('sha256').update('0\n').digest('hex')}`);
      expect(made).toContain(`d/f file 644 1:1 ${createHash('sha256').digest('hex')}`);
      expect(made.some((line) => line.startsWith('links/.wh.a '))).toBe(true);
      expect(await leftovers.find()).toEqual([]);
    });

    it('a user without subordinate ids builds with RUN, or is told what is missing', async ({ skip }) => {
      if (!namespaces) skip('this kernel gives users no user namespaces');
      const scene = await userScene(asUser);
      const leftovers = new Leftovers(scene.home);
      const result = await asUser(scene, buildArgs(scene, 'Dockerfile.run'));
      if (result.code !== 0) {
        expect(result.stderr).toMatch(/\[SANDBOX_[A-Z_]+\]/);
        expect(result.stderr).toMatch(/hint: .*sub[ug]id/);
      }
      expect(await leftovers.find()).toEqual([]);
    });

    it.for<[NodeJS.Signals, number]>([
      ['SIGINT', 130],
      ['SIGTERM', 143],
    ])(
      '%s for the first process reaches the command of run, a second one kills it',
      async ([signal, killed], { skip }) => {
        if (!namespaces) skip('this kernel gives users no user namespaces');
        const scene = await userScene(asUserWithSubordinateIds);
        const leftovers = new Leftovers(scene.home);
        const command = (script: string): string[] => [
          'run',
          '--network=none',
          '-u',
          '0',
          'e2e/rich:1',
          'sh',
          '-c',
          script,
        ];
        const handler = 'trap "echo caught; exit 7" INT TERM; echo is-up; while :; do sleep 0.05; done';
        const caught = await asUserWithSubordinateIds(scene, command(handler), (child) =>
          sendWhenItSays(child, 'stdout', 'is-up', signal),
        );
        expect([caught.code, caught.stdout.toString(), caught.stderr]).toEqual([7, 'is-up\ncaught\n', '']);
        const twice = await asUserWithSubordinateIds(
          scene,
          command('trap "" INT TERM; echo is-up; sleep 1000'),
          (child) => {
            sendWhenItSays(child, 'stdout', 'is-up', signal);
            sendWhenItSays(child, 'stderr', 'was passed on', signal);
          },
        );
        expect(twice.code, twice.stderr).toBe(killed);
        expect(twice.stderr).toMatch(/\[INTERRUPTED\]\n$/);
        expect(await leftovers.find()).toEqual([]);
      },
    );

    it('every file of the store belongs to the user', async ({ skip }) => {
      if (!namespaces) skip('this kernel gives users no user namespaces');
      const scene = await userScene(asUserWithSubordinateIds);
      await asUserWithSubordinateIds(scene, buildArgs(scene, 'Dockerfile'));
      const foreign = readdirSync(scene.home, { recursive: true, encoding: 'utf8' }).filter((path) => {
        const stat = lstatSync(join(scene.home, path), { throwIfNoEntry: false });
        return stat !== undefined && stat.uid !== USER;
      });
      expect(foreign).toEqual([]);
    });

    it('doctor tells what works and what does not', async () => {
      const scene = await userScene(asUserWithoutNamespaces);
      const result = await asUserWithoutNamespaces(scene, ['doctor']);
      expect(result.stdout.toString() + result.stderr).toMatch(/user namespace/i);
    });
  },
);
