import type { Localized } from '../labels/language.ts';

/** What a secret is, as far as its form or its name tells. */
export type SecretKind =
  | 'private-key'
  | 'aws-access-key'
  | 'cloud-access-key'
  | 'github-token'
  | 'gitlab-token'
  | 'registry-token'
  | 'chat-token'
  | 'payment-key'
  | 'mail-key'
  | 'model-key'
  | 'jwt'
  | 'url-password'
  | 'authorization'
  | 'password'
  | 'token'
  | 'key'
  | 'secret'
  | 'credentials-file'
  | 'key-file'
  | 'environment-file';

/** The kinds in words. */
const kindNames: Readonly<Record<SecretKind, Localized>> = {
  'private-key': { zh: '私钥', en: 'private key' },
  'aws-access-key': { zh: 'AWS 访问密钥', en: 'AWS access key' },
  'cloud-access-key': { zh: '云服务访问密钥', en: 'cloud access key' },
  'github-token': { zh: 'GitHub 令牌', en: 'GitHub token' },
  'gitlab-token': { zh: 'GitLab 令牌', en: 'GitLab token' },
  'registry-token': { zh: '软件包或镜像仓库令牌', en: 'package or image registry token' },
  'chat-token': { zh: '聊天服务令牌', en: 'chat service token' },
  'payment-key': { zh: '支付服务密钥', en: 'payment service key' },
  'mail-key': { zh: '邮件服务密钥', en: 'mail service key' },
  'model-key': { zh: 'AI 服务密钥', en: 'AI service key' },
  jwt: { zh: 'JSON Web 令牌', en: 'JSON web token' },
  'url-password': { zh: '网址中的密码', en: 'password in a URL' },
  authorization: { zh: '请求头中的凭据', en: 'credentials in a header' },
  password: { zh: '密码', en: 'password' },
  token: { zh: '令牌', en: 'token' },
  key: { zh: '密钥', en: 'key' },
  secret: { zh: '机密值', en: 'secret value' },
  'credentials-file': { zh: '凭据文件', en: 'file with credentials' },
  'key-file': { zh: '私钥文件', en: 'private key file' },
  'environment-file': { zh: '环境变量文件', en: 'file with environment variables' },
};

/** True for the name of a kind. */
export function isSecretKind(text: string): text is SecretKind {
  return Object.hasOwn(kindNames, text);
}

/** A kind in words. */
export function secretKindName(kind: SecretKind): Localized {
  return kindNames[kind];
}
