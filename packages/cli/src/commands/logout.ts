import { homedir } from 'node:os';
import { logout } from '@boxwright/oci';
import type { Command } from 'commander';
import type { CommandContext } from '../command-context.ts';
import { type CommonFlags, newCommand } from '../commander.ts';
import { parseRegistryScope } from '../options/registry-scope.ts';

const examples = ['boxwright logout ghcr.io', 'boxwright logout quay.io/team', 'boxwright logout      Docker Hub'];

/** `boxwright logout`. */
export function logoutCommand(context: CommandContext): Command {
  return newCommand(
    'logout',
    "Removes a registry's credentials from Docker's config.json, auth.json files and the helpers they name.",
    context,
    examples,
  )
    .argument('[registry]', 'as given to login; Docker Hub when left out')
    .action(async (registry: string | undefined, _flags: CommonFlags) => {
      const text = registry ?? 'docker.io';
      const { env, signal } = context;
      const scope = parseRegistryScope(text);
      const { removedFrom, remaining } = await logout({ env, home: env['HOME'] || homedir(), scope, signal });
      const name = scope.path === '' ? scope.registry : `${scope.registry}/${scope.path}`;
      for (const place of removedFrom) context.stdout.write(`Removed credentials for ${name} from ${place}\n`);
      if (removedFrom.length === 0) context.stderr.write(`note: there were no credentials for ${name}\n`);
      if (remaining !== undefined) context.stderr.write(`note: ${name} still gets credentials from ${remaining}\n`);
    });
}
