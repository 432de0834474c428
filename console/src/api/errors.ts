import { ApiError } from '@stic/api/http.js';

/** There is nothing with this id, or the address holds no id at all. */
export const isMissing = (error: unknown): boolean =>
  error instanceof ApiError && (error.code === 'NOT_FOUND' || (error.code === 'INVALID_ARGUMENT' && /_id$/.test(error.field ?? '')));

/** The same request would be refused again. */
export const isRefusal = (error: unknown): boolean =>
  error instanceof ApiError && error.problem.status >= 400 && error.problem.status < 500;

export const hintOf = (error: unknown): string => {
  if (!(error instanceof ApiError)) return '';
  const unreached = error.problem.status === 0 ? 'Check that the server runs. This page tries again; running stages go on without it.' : '';
  return error.hint ?? unreached;
};

/** What the server objects to, in a field; `nameOf` turns its path into the form's name. */
export function objectionTo(error: unknown, name: string, nameOf = (field: string): string => field): string | undefined {
  return violationsOf(error).find(({ field }) => nameOf(field) === name)?.message;
}

function violationsOf(error: unknown): readonly { field: string; message: string }[] {
  if (!(error instanceof ApiError)) return [];
  const { errors, field, detail } = error.problem;
  return errors ?? (field === undefined ? [] : [{ field, message: detail }]);
}
