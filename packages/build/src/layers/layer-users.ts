import { lstatSync } from 'node:fs';
import { join } from 'node:path';
import { BoxwrightError, escapeForTerminal } from '@boxwright/errors';
import { lookupUser, readUserFiles, type UserFiles } from '@boxwright/oci';
import type { SandboxUser } from '../sandbox/index.ts';
import { ImageSource } from '../source/image-source.ts';
import type { Layer } from './layer.ts';

/**
 * The users of a stage's file system, as the image's /etc/passwd and /etc/group have them. They are read once and handed
 * on to the next step as long as no layer touches these files: looking into every layer before every RUN would cost more
 * than most RUNs do.
 */
export class LayerUsers {
  readonly #files: () => Promise<UserFiles>;
  #known: Promise<UserFiles> | undefined;

  private constructor(files: () => Promise<UserFiles>) {
    this.#files = files;
  }

  /** Read from the layers when first asked for. */
  static of(layers: readonly Layer[]): LayerUsers {
    return new LayerUsers(async () => {
      const tars = await Promise.all(layers.map((layer) => layer.tar()));
      return readUserFiles(new ImageSource(tars).tree);
    });
  }

  /** The users after a RUN whose changes are in `upper`, on top of which `layers` is the whole file system. */
  afterRun(upper: string, layers: readonly Layer[]): LayerUsers {
    return touchesUserFiles(upper) ? LayerUsers.of(layers) : this;
  }

  /** Ids of a USER. @throws BoxwrightError `USER_NOT_FOUND` */
  async find(user: string): Promise<SandboxUser> {
    this.#known ??= this.#files();
    const { passwd, group } = await this.#known;
    const found = lookupUser(passwd, group, user);
    if (found.found) return { uid: found.uid, gid: found.gid, additionalGids: found.additionalGids };
    const file = found.missing === 'user' ? '/etc/passwd' : '/etc/group';
    throw new BoxwrightError(
      'USER_NOT_FOUND',
      `no ${found.missing} "${escapeForTerminal(found.name)}" in ${file} of the image`,
      {
        hint: 'create it in the image first, or give a number',
        details: { [found.missing]: found.name },
      },
    );
  }
}

function touchesUserFiles(upper: string): boolean {
  const etc = lstatSync(join(upper, 'etc'), { throwIfNoEntry: false });
  if (etc === undefined) return false;
  if (!etc.isDirectory()) return true;
  return ['passwd', 'group'].some(
    (name) => lstatSync(join(upper, 'etc', name), { throwIfNoEntry: false }) !== undefined,
  );
}
