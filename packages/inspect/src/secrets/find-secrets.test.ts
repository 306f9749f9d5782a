import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { findSecrets, namedSecret, redactText } from './find-secrets.ts';
import { harmlessRows } from './testing/harmless-rows.ts';

/** Made up; put together here so that no scanner takes this file for a leak. */
const letters = 'aB3dE5gH1jK2mN4pQ6rS7tU8vW9xY0zA1bC2dE3fG4hJ';
const tokens: readonly (readonly [kind: string, token: string])[] = [
  ['github-token', `ghp_${letters.slice(0, 36)}`],
  ['github-token', `github_pat_${letters.slice(0, 22)}_${letters}${letters.slice(0, 15)}`],
  ['gitlab-token', `glpat-${letters.slice(0, 20)}`],
  ['registry-token', `npm_${letters.slice(0, 36)}`],
  ['registry-token', `dckr_pat_${letters.slice(0, 27)}`],
  ['aws-access-key', ['AKIA', 'Q3EGTYWZ7M2JNBKD'].join('')],
  ['cloud-access-key', `LTAI${letters.slice(0, 20)}`],
  ['cloud-access-key', `AIza${letters.slice(0, 35)}`],
  ['chat-token', `xoxb-${letters}`],
  ['payment-key', `sk_live_${letters.slice(0, 24)}`],
  ['mail-key', `SG.${letters.slice(0, 22)}.${letters.slice(0, 43)}`],
  ['model-key', `sk-ant-api03-${letters}`],
  ['model-key', `sk-proj-${letters}`],
  ['jwt', `eyJ${letters.slice(0, 20)}.eyJ${letters.slice(0, 30)}.${letters.slice(0, 30)}`],
];

describe('findSecrets', () => {
  it.each(tokens)('finds a %s by its form: %s', (kind, token) => {
    for (const text of [token, `ENV X=${token}`, `curl "https://x/?a=${token}&b"`, `RUN echo '${token}' # buildkit`]) {
      expect(findSecrets(text)).toEqual([
        { kind, start: text.indexOf(token), end: text.indexOf(token) + token.length },
      ]);
    }
    // Not inside of a longer word.
    expect(findSecrets(`z${token}`)).toEqual([]);
  });

  it.each([
    ['RUN PGPASSWORD=hunter2 psql -h db', 'RUN PGPASSWORD=****** psql -h db', 'password'],
    ['RUN export DB_PASS="two words" && x', 'RUN export DB_PASS="******" && x', 'password'],
    ['RUN mysql --user root --password=hunter2 x', 'RUN mysql --user root --password=****** x', 'password'],
    ['RUN helm login --password hunter2 x', 'RUN helm login --password ****** x', 'password'],
    ['CMD ["redis-server" "--requirepass" "hunter2"]', 'CMD ["redis-server" "--requirepass" "******"]', 'password'],
    ['CMD ["app","--api-key","aB3dE5gH"]', 'CMD ["app","--api-key","******"]', 'key'],
    ["RUN echo 'root:hunter2' | chpasswd", "RUN echo 'root:******' | chpasswd", 'password'],
    ['RUN openssl pkcs12 -passout pass:hunter2 -out x', 'RUN openssl pkcs12 -passout pass:****** -out x', 'password'],
    ['RUN curl -fsSL -u bob:hunter2 https://x.org/f', 'RUN curl -fsSL -u bob:****** https://x.org/f', 'password'],
    ['RUN curl --user "bob:hunter2" https://x.org', 'RUN curl --user "bob:******" https://x.org', 'password'],
    ['CMD ["java" "-Dstore.password=hunter2"]', 'CMD ["java" "-Dstore.password=******"]', 'password'],
    ['RUN git clone https://bob:hunter2@git.x.org/r', 'RUN git clone https://bob:******@git.x.org/r', 'url-password'],
    ['ENV DATABASE_URL=postgres://app:pw@db/app', 'ENV DATABASE_URL=postgres://app:******@db/app', 'url-password'],
    [
      'RUN curl -H "Authorization: Basic Ym9iOmh1bnRlcjI="',
      'RUN curl -H "Authorization: Basic ******"',
      'authorization',
    ],
    [`RUN echo '{"auth_token": "${letters}"}' > x`, `RUN echo '{"auth_token": "******"}' > x`, 'token'],
    ['RUN npm set //r.example.org/:_authToken=aB3dE5gH1', 'RUN npm set //r.example.org/:_authToken=******', 'token'],
    ['ENV POSTGRES_PASSWORD=postgres', 'ENV POSTGRES_PASSWORD=******', 'password'],
  ])('finds by name: %s', (text, redacted, kind) => {
    expect(findSecrets(text).map((match) => match.kind)).toEqual([kind]);
    expect(redactText(text)).toBe(redacted);
  });

  it('finds private keys with everything to their end', () => {
    const key = `-----BEGIN OPENSSH PRIVATE KEY-----\n${letters}\n${letters}\n`;
    expect(redactText(`RUN echo "${key}-----END OPENSSH PRIVATE KEY-----" > k`)).toBe(
      'RUN echo "******-----END OPENSSH PRIVATE KEY-----" > k',
    );
    expect(redactText(`x ${key}`)).toBe('x ******');
    expect(redactText(key.replace('OPENSSH PRIVATE', 'PUBLIC'))).toContain(letters);
  });

  it.each(harmlessRows)('leaves %s alone', (row) => {
    expect(redactText(row)).toBe(row);
  });

  it('finds nothing in what it has redacted', () => {
    for (const [, token] of tokens) expect(findSecrets(redactText(`A_TOKEN=${token} ${token}`))).toEqual([]);
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom('password', '=', ' ', '--', '"', "'", 'x1y2z3', ':', '@', 'http://', '\n')),
        (parts) => {
          const once = redactText(parts.join(''));
          expect(redactText(once)).toBe(once);
        },
      ),
    );
  });

  it('gives ordered parts that do not overlap', () => {
    const part = fc.constantFrom(
      'TOKEN=',
      'ghp_',
      letters,
      '--password ',
      '"',
      "'",
      ' ',
      'a:b@',
      'https://',
      '\\',
      '|',
      'eyJ',
    );
    fc.assert(
      fc.property(fc.array(part, { maxLength: 30 }), (parts) => {
        const text = parts.join('');
        let position = 0;
        for (const { start, end } of findSecrets(text)) {
          expect(start).toBeGreaterThanOrEqual(position);
          expect(end).toBeGreaterThan(start);
          expect(end).toBeLessThanOrEqual(text.length);
          position = end;
        }
      }),
    );
  });

  it.each([
    'eyJ',
    'eyJa.',
    'sk-',
    'a://b:',
    'x=',
    '--a ',
    '"',
    '-----BEGIN PRIVATE KEY-----',
    'echo a:',
    'password="\\',
    ' ',
    'A_',
  ])(
    'takes linear time for many %j',
    (piece) => {
      const time = (count: number): number => {
        const text = piece.repeat(count);
        const start = performance.now();
        findSecrets(text);
        return performance.now() - start;
      };
      time(1000);
      // A second for a megabyte or so; what is quadratic takes minutes.
      expect(time(Math.ceil(500_000 / piece.length))).toBeLessThan(5000);
    },
    30_000,
  );
});

describe('namedSecret', () => {
  it.each([
    ['DB_PASSWORD', 'two words', 'password'],
    ['jwtSecret', 'abc', 'secret'],
    ['SECRET_KEY_BASE', letters, 'key'],
    ['MINIO_SECRET_KEY', 'minioadmin', 'key'],
    ['AWS_SECRET_ACCESS_KEY', 'wJalrXUtnFEMIK7MDENGbPxRfiCYzz', 'key'],
    ['GITHUB_TOKEN_READONLY', letters, 'token'],
    ['REDIS_AUTH', letters, 'token'],
    ['SMTP_PASS', 'x', 'password'],
  ])('%s=%s is one', (name, value, kind) => {
    expect(namedSecret(name, value)).toBe(kind);
  });

  it.each([
    ['PWD', '/app'],
    ['OLDPWD', '/'],
    ['PATH', '/bin'],
    ['BYPASS', 'on'],
    ['GPG_KEY', letters],
    ['PUBLIC_KEY', letters],
    ['TOKEN_URL', 'https://x.org'],
    ['REDIS_AUTH', 'enabled'],
    ['PASSWORD', ''],
    ['PASSWORD', '******'],
    ['KEY', letters],
    ['__proto__', letters],
  ])('%s=%s is none', (name, value) => {
    expect(namedSecret(name, value)).toBeUndefined();
  });
});
