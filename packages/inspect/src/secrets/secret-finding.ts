import type { Localized } from '../labels/language.ts';
import { type SecretKind, secretKindName } from './secret-kind.ts';

/** Where in an image a secret is. */
export type SecretPlace =
  /** A row of the history: `entry` counts from the oldest, from 0. */
  | { readonly place: 'history'; readonly entry: number; readonly name?: string }
  | { readonly place: 'environment' | 'label'; readonly name: string }
  /** A member of the config that holds commands; `name` is the member. */
  | { readonly place: 'command'; readonly name: string }
  /** A file that a layer brings, also when a later one hides it. `layer` counts from the base, from 0. */
  | { readonly place: 'file'; readonly layer: number; readonly path: string };

/** A secret that an image gives away to everybody who can read it. The secret itself is not part of this. */
export type SecretFinding = { readonly kind: SecretKind } & SecretPlace;

/** A finding in words; not escaped. Rows and layers are counted from 1 for people. */
export function secretText(finding: SecretFinding): Localized {
  const kind = secretKindName(finding.kind);
  switch (finding.place) {
    case 'history': {
      const name = finding.name === undefined ? '' : ` (${finding.name})`;
      return {
        zh: `构建历史第 ${finding.entry + 1} 条${name === '' ? '' : `${name} `}可能含有${kind.zh}`,
        en: `history entry ${finding.entry + 1}${name} seems to hold a ${kind.en}`,
      };
    }
    case 'environment':
      return {
        zh: `环境变量 ${finding.name} 可能含有${kind.zh}`,
        en: `environment variable ${finding.name} seems to hold a ${kind.en}`,
      };
    case 'label':
      return { zh: `标签 ${finding.name} 可能含有${kind.zh}`, en: `label ${finding.name} seems to hold a ${kind.en}` };
    case 'command':
      return { zh: `${finding.name} 可能含有${kind.zh}`, en: `${finding.name} seems to hold a ${kind.en}` };
    case 'file':
    default:
      return {
        zh: `第 ${finding.layer + 1} 层中的 ${finding.path} 可能是${kind.zh}`,
        en: `${finding.path} in layer ${finding.layer + 1} seems to be a ${kind.en}`,
      };
  }
}
