import schema from '../../recipes/generated/schema.json';

/** What a field of a recipe may be, of what the form shows. */
interface FieldRules {
  type: string;
  /** The end of the sentence "It must be ...". */
  allowed: string;
  values?: string[];
}

const fields: Partial<Record<string, FieldRules>> = schema;

/** Least, most and unit of a number's field, in words; nothing for other fields. */
export function rangeOf(path: string): string | undefined {
  const rules = fields[path];
  if (rules?.type !== 'integer' && rules?.type !== 'number') return undefined;
  return rules.allowed.replace(/^a (whole )?number /, '');
}

/** The names of an enum's values; nothing for other fields. */
export const valuesOf = (path: string): string[] | undefined => fields[path]?.values;
