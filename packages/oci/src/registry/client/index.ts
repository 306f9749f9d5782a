export { listRepositories } from './lists.ts';
export { openRepository } from './open-repository.ts';
export type {
  FetchedManifest,
  ListOptions,
  MountAnswer,
  ReadOptions,
  ReferrerOptions,
  Repository,
  RequestOptions,
} from './repository.ts';
