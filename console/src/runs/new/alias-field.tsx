import { Autocomplete, type AutocompleteProps } from '@mantine/core';
import { registry } from '../../api/clients';
import { usePages } from '../../api/hooks';

interface AliasFieldProps extends Pick<AutocompleteProps, 'size' | 'inputWrapperOrder'> {
  label: string;
  description: string;
  value: string;
  error: string | undefined;
  onChange: (name: string) => void;
}

/** The name of an alias, offered from those there are; another one is as good. */
export function AliasField(props: AliasFieldProps) {
  const aliases = usePages(registry.listAliases, { pageSize: 50 }, { pollMs: 10_000 });
  const known = aliases.data?.pages.flatMap((page) => page.aliases).map(({ name }) => name) ?? [];
  return <Autocomplete {...props} placeholder="champion" data={[...new Set(['champion', ...known])]} />;
}
