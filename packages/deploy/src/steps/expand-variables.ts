/**
 * Replaces `$NAME` and `${NAME}` in a line by what the environment has; unknown ones stay as they are, `$$` is one `$`
 * (Python's `string.Template.safe_substitute`, which Prefect's `expand_env_vars` uses). One pass: what a variable holds is
 * not looked at again.
 */
export function expandVariables(line: string, env: Readonly<Record<string, string | undefined>>): string {
  return line.replace(
    /\$(?:(\$)|([A-Za-z_][A-Za-z0-9_]*)|\{([A-Za-z_][A-Za-z0-9_]*)\})/g,
    (whole: string, dollar: string | undefined, plain: string | undefined, braced: string | undefined) => {
      if (dollar !== undefined) return '$';
      const name = plain ?? braced ?? '';
      return Object.hasOwn(env, name) ? (env[name] ?? whole) : whole;
    },
  );
}
