import { referrersOf } from './manifest-routes.ts';
import { failed, type Route } from './route.ts';
import type { Reply } from './test-server.ts';
import { json } from './token-service.ts';

/** `GET /v2/NAME/tags/list`: distribution specification, end-8. */
export function tagsRoute(route: Route): Reply {
  const { content, name, repository } = route;
  if (!content.repositories.has(name)) return failed(404, 'NAME_UNKNOWN', 'repository name not known to registry');
  const { page, headers } = paged(route, [...repository.tags.keys()], `/v2/${name}/tags/list`);
  return json(200, { name, tags: page }, headers);
}

/** `GET /v2/_catalog`, as CNCF Distribution has it. */
export function catalogRoute(route: Route): Reply {
  const { page, headers } = paged(route, [...route.content.repositories.keys()], '/v2/_catalog');
  return json(200, { repositories: page }, headers);
}

/** `GET /v2/NAME/referrers/DIGEST`: end-12. */
export function referrersRoute(route: Route, subject: string): Reply {
  const { behaviour, repository, request, name } = route;
  if (behaviour.referrers === false) return failed(404, 'UNSUPPORTED', 'page not found');
  const type = request.url.searchParams.get('artifactType');
  const all = referrersOf(repository.manifests, subject);
  const wanted = type === null ? all : all.filter((entry) => 'artifactType' in entry && entry.artifactType === type);
  const skip = Number(request.url.searchParams.get('skip') ?? 0);
  const limit = behaviour.pageSize ?? 1000;
  const mediaType = 'application/vnd.oci.image.index.v1+json';
  const next = `</v2/${name}/referrers/${subject}?skip=${skip + limit}${type === null ? '' : `&artifactType=${encodeURIComponent(type)}`}>; rel="next"`;
  return json(
    200,
    { schemaVersion: 2, mediaType, manifests: wanted.slice(skip, skip + limit) },
    {
      'content-type': mediaType,
      ...(type === null ? {} : { 'oci-filters-applied': 'artifactType' }),
      ...(wanted.length > skip + limit ? { link: next } : {}),
    },
  );
}

/** The page that `n` and `last` ask for, and the Link to the next one. */
function paged(
  { request, behaviour }: Route,
  names: readonly string[],
  path: string,
): { page: string[]; headers: Record<string, string> } {
  const { searchParams } = request.url;
  const last = searchParams.get('last') ?? '';
  const limit = Math.min(Number(searchParams.get('n') ?? Number.POSITIVE_INFINITY), behaviour.pageSize ?? 1000);
  // Code points, as the specification's "lexical (i.e. case-insensitive alphanumeric order)" is read by registries in Go.
  const rest = names.filter((name) => last === '' || name > last).sort((a, b) => (a < b ? -1 : 1));
  const page = rest.slice(0, limit);
  const end = page.at(-1);
  const more = rest.length > page.length && end !== undefined;
  return {
    page,
    headers: more ? { link: `<${path}?n=${limit}&last=${encodeURIComponent(end)}>; rel="next"` } : {},
  };
}
