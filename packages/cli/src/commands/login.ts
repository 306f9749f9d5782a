import { homedir } from 'node:os';
import { escapeForTerminal, safeJson, UsageError } from '@boxwright/errors';
import {
  type Credential,
  type CredentialStore,
  credentialStore,
  login,
  openRegistryAccess,
  type RepositoryName,
  Secret,
} from '@boxwright/oci';
import type { Command } from 'commander';
import type { CommandContext } from '../command-context.ts';
import { type CommonFlags, formatOption, newCommand, refuseFlag } from '../commander.ts';
import { credentialJson, credentialText } from '../credential-text.ts';
import { parseExplained, parseRegistryScope } from '../options/registry-scope.ts';
import { readInput } from '../read-input.ts';
import { promptLine } from '../terminal/prompt.ts';
import { insecureOption } from '../transfer/transfer-flags.ts';

interface LoginFlags extends CommonFlags {
  readonly username?: string;
  readonly passwordStdin: boolean;
  readonly explain?: string;
  readonly insecure: boolean;
  readonly format: 'table' | 'json';
}

const examples = [
  'boxwright login -u me ghcr.io',
  'printenv TOKEN | boxwright login -u me --password-stdin registry.example.com',
  'boxwright login -u robot quay.io/team      only for repositories below quay.io/team',
  'boxwright login --explain ghcr.io/me/app      which credentials are used, and why',
];

/** Largest password or token, bytes. */
const maxPassword = 64 * 1024;
/** Credential helpers mark identity tokens by this user name. */
const tokenUser = '<token>';

/** `boxwright login`. */
export function loginCommand(context: CommandContext): Command {
  const command = newCommand(
    'login',
    'Tries credentials at a registry and stores them where Docker finds them too: in the credential helper of ' +
      "Docker's config.json, else in that file.",
    context,
    examples,
  )
    .argument('[registry]', 'host, or host/namespace; Docker Hub when left out')
    .option('-u, --username <name>', 'user name; <token> for an identity token')
    .option('--password-stdin', 'read the password from standard input', false)
    .option('--explain <image>', 'show which credentials an image or registry gets and where they come from')
    .addOption(insecureOption())
    .addOption(formatOption());
  refuseFlag(command, '-p, --password <password>', 'Everybody on this machine could read it: use --password-stdin.');
  return command.action((registry: string | undefined, flags: LoginFlags) =>
    flags.explain === undefined
      ? logIn(registry ?? 'docker.io', flags, context)
      : explain(flags.explain, registry, flags, context),
  );
}

async function logIn(text: string, flags: LoginFlags, context: CommandContext): Promise<void> {
  const scope = parseRegistryScope(text);
  const { env, signal } = context;
  const home = env['HOME'] || homedir();
  const credential = await askForCredential(scope, flags, context);
  const check = (credentials: CredentialStore): Promise<void> => ping(scope, credentials, home, flags, context);
  const result = await login({ env, home, scope, credential, check, signal });
  const user = credential.kind === 'password' ? credential.username : 'an identity token';
  const note = (words: string): void => void context.stderr.write(`note: ${words}\n`);
  context.stdout.write(
    `Logged in to ${scopeText(scope)} ${credential.kind === 'password' ? 'as' : 'with'} ${escapeForTerminal(user)}\n`,
  );
  note(`stored in ${result.place}${result.isPlain ? ', which you alone can read but which is not encrypted' : ''}`);
  if (!result.isChecked) note(`${scope.registry} did not ask for credentials, so they may be wrong`);
  if (result.shadowedBy !== undefined) note(`${result.shadowedBy} comes first and will be used instead`);
}

/** Asks the registry with these credentials and no others. */
async function ping(
  { registry }: RepositoryName,
  credentials: CredentialStore,
  home: string,
  { insecure }: LoginFlags,
  { env, signal }: CommandContext,
): Promise<void> {
  const access = openRegistryAccess({ env, home, insecure, credentials, signal });
  try {
    await access.registries.ping(registry, signal);
  } finally {
    access.close();
  }
}

async function askForCredential(
  scope: RepositoryName,
  { username, passwordStdin }: LoginFlags,
  context: CommandContext,
): Promise<Credential> {
  const { stdin, signal } = context;
  if (passwordStdin) {
    if (username === undefined) throw new UsageError('--password-stdin needs --username');
    const bytes = await readInput(stdin.open(), maxPassword, 'the password', signal);
    return credentialOf(username, bytes.toString('utf8').replace(/\r?\n$/, ''));
  }
  if (!stdin.isTTY) {
    throw new UsageError('there is no terminal to ask for the password on', {
      hint: 'Give it on standard input with --password-stdin.',
    });
  }
  const terminal = { input: stdin.open(), output: context.stderr, signal };
  const name = username ?? (await promptLine(`Username for ${scopeText(scope)}: `, terminal, { hidden: false }));
  return credentialOf(name.trim(), await promptLine('Password: ', terminal, { hidden: true }));
}

function credentialOf(username: string, password: string): Credential {
  if (username === '') throw new UsageError('the user name is empty');
  if (password === '') throw new UsageError('the password is empty');
  if (username === tokenUser) return { kind: 'identity-token', identityToken: new Secret(password) };
  // RFC 7617: the first colon ends the name.
  if (username.includes(':')) throw new UsageError('a user name cannot have a colon');
  return { kind: 'password', username, password: new Secret(password) };
}

async function explain(
  text: string,
  registry: string | undefined,
  flags: LoginFlags,
  { env, stdout, signal }: CommandContext,
): Promise<void> {
  if (registry !== undefined) throw new UsageError(`--explain takes one image, not ${registry} as well`);
  const repository = parseExplained(text);
  const explanation = await credentialStore({ env, home: env['HOME'] || homedir() }).explain(repository, signal);
  if (flags.format === 'json') stdout.write(`${safeJson(credentialJson(repository, explanation), 2)}\n`);
  else stdout.write(credentialText(repository, explanation));
}

function scopeText({ registry, path }: RepositoryName): string {
  return path === '' ? registry : `${registry}/${path}`;
}
