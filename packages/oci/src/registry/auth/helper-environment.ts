import type { CredentialEnvironment } from './auth-file-paths.ts';

/** What keyrings, password managers and cloud tools look for; everything else of our environment is not theirs. */
const names = new Set([
  'PATH',
  'USER',
  'LOGNAME',
  'SHELL',
  'LANG',
  'LANGUAGE',
  'TERM',
  'TZ',
  'TMPDIR',
  'DISPLAY',
  'WAYLAND_DISPLAY',
  'DBUS_SESSION_BUS_ADDRESS',
  'SSH_AUTH_SOCK',
  'GNUPGHOME',
  'GPG_TTY',
  'GPG_AGENT_INFO',
  'HTTP_PROXY',
  'HTTPS_PROXY',
  'NO_PROXY',
  'http_proxy',
  'https_proxy',
  'no_proxy',
  'SSL_CERT_FILE',
  'SSL_CERT_DIR',
  // Windows
  'SystemRoot',
  'SYSTEMROOT',
  'APPDATA',
  'LOCALAPPDATA',
  'USERPROFILE',
  'TEMP',
  'TMP',
  'PATHEXT',
]);

/** Variables of the services and programs that credential helpers are written for. */
const prefixes = [
  'LC_',
  'XDG_',
  'DOCKER_',
  'PASSWORD_STORE_',
  'GOPASS_',
  'AWS_',
  'ECR_',
  'AZURE_',
  'ACR_',
  'GOOGLE_',
  'GCLOUD_',
  'CLOUDSDK_',
  'GITHUB_',
  'GH_',
  'WSL',
];

/** Never the helper's business: it would be a way around asking it. */
const withheld = new Set(['DOCKER_AUTH_CONFIG']);

/** A small environment for credential helpers: a name on the list or with a listed beginning. */
export function helperEnvironment({ env, home }: CredentialEnvironment): Record<string, string> {
  const result: Record<string, string> = { HOME: home };
  for (const [name, value] of Object.entries(env)) {
    const isWanted = names.has(name) || prefixes.some((prefix) => name.startsWith(prefix));
    if (value !== undefined && isWanted && !withheld.has(name)) result[name] = value;
  }
  result['PATH'] ??= '/usr/local/bin:/usr/bin:/bin';
  return result;
}
