import { JsonInput, Select, Textarea, TextInput } from '@mantine/core';
import { useState } from 'react';
import { asText, type Json } from '../../recipe-json';
import { rangeOf, valuesOf } from '../../recipe-schema';
import { plainWords } from '../../words';

interface FieldProps {
  label: string;
  /** The preset's value, to say so where this one is another. */
  base?: Json;
  value: Json;
  error?: string;
  description?: string;
  /** Least, most and unit of a number. */
  range?: string;
  onChange: (value: Json) => void;
}

export interface RecipeFieldProps extends FieldProps {
  path: string;
  /** It decides the kind of field, too. */
  base: Json;
}

/** An input for one recipe field: one of some names, else by its value yes or no, number, text, list of texts, or JSON for anything else. */
export function RecipeField(props: RecipeFieldProps) {
  const { path, base } = props;
  const values = valuesOf(path);
  if (values) return <EnumField {...props} values={values} />;
  if (typeof base === 'boolean') return <FlagField {...props} />;
  if (typeof base === 'number') return <NumberField {...props} range={rangeOf(path)} />;
  if (typeof base === 'string') return <TextField {...props} />;
  if (Array.isArray(base) && base.every((item) => typeof item === 'string')) return <LinesField {...props} />;
  return <JsonField {...props} />;
}

const changed = ({ base, value }: FieldProps): boolean => base !== undefined && JSON.stringify(base) !== JSON.stringify(value);

/** Small, with the description below, so that the inputs of a row stand in line. */
export const compact: { size: 'xs'; inputWrapperOrder: ('label' | 'input' | 'description' | 'error')[] } = {
  size: 'xs',
  inputWrapperOrder: ['label', 'input', 'description', 'error'],
};

function common(props: FieldProps) {
  const preset = changed(props) ? `preset: ${asText(props.base)}` : '';
  return {
    label: props.label,
    error: props.error,
    description: [props.description, props.range, preset].filter(Boolean).join(' \u00b7 ') || undefined,
    ...compact,
  };
}

/** Takes 0.0001 and 1e-4 alike. */
export function NumberField(props: FieldProps) {
  const [text, setText] = useState(asText(props.value));
  const parsed = text.trim() === '' ? NaN : Number(text);
  // The value may be set from outside: another preset, or back to the preset's value.
  const shown = typeof props.value === 'number' && parsed !== props.value ? asText(props.value) : text;
  return (
    <TextInput
      {...common(props)}
      inputMode="decimal"
      value={shown}
      error={props.error ?? (typeof props.value === 'number' ? undefined : 'Not a number')}
      onChange={(event) => {
        const next = event.currentTarget.value;
        const number = next.trim() === '' ? NaN : Number(next);
        setText(next);
        props.onChange(Number.isFinite(number) ? number : next);
      }}
    />
  );
}

function FlagField(props: FieldProps) {
  return (
    <Select
      {...common(props)}
      data={['true', 'false']}
      value={asText(props.value)}
      allowDeselect={false}
      onChange={(next) => {
        props.onChange(next === 'true');
      }}
    />
  );
}

function TextField(props: FieldProps) {
  const long = asText(props.base).length > 60 || asText(props.base).includes('\n');
  const bound = {
    ...common(props),
    value: asText(props.value),
    onChange: (event: { currentTarget: { value: string } }) => {
      props.onChange(event.currentTarget.value);
    },
  };
  return long ? <Textarea {...bound} autosize minRows={2} maxRows={8} /> : <TextInput {...bound} />;
}

function LinesField(props: FieldProps) {
  const lines = Array.isArray(props.value) ? props.value.map(asText) : [];
  return (
    <Textarea
      {...common({ ...props, description: 'one per line' })}
      autosize
      maxRows={8}
      value={lines.join('\n')}
      onChange={(event) => {
        props.onChange(event.currentTarget.value.split('\n'));
      }}
    />
  );
}

function JsonField(props: FieldProps) {
  const [text, setText] = useState(JSON.stringify(props.value, null, 2));
  return (
    <JsonInput
      {...common(props)}
      autosize
      maxRows={14}
      value={text}
      validationError="Not JSON; the last valid value is used"
      onChange={(next) => {
        setText(next);
        try {
          const value = JSON.parse(next) as Json;
          // Anything but a list would be read as an empty one.
          if (Array.isArray(value) === Array.isArray(props.base)) props.onChange(value);
        } catch {
          // The field itself says that this is no JSON yet.
        }
      }}
    />
  );
}

function EnumField({ values, ...props }: FieldProps & { values: string[] }) {
  const prefix = commonPrefix(values);
  const data = values.map((value) => ({ value, label: plainWords(value.slice(prefix.length).toLowerCase()) }));
  return <Select {...common(props)} data={data} value={asText(props.value)} allowDeselect={false} onChange={props.onChange} />;
}

/** What an enum's names begin with, such as SHARDING_. */
function commonPrefix(names: string[]): string {
  let prefix = names[0] ?? '';
  while (!names.every((name) => name.startsWith(prefix) && name !== prefix)) prefix = prefix.replace(/[^_]+_?$/, '');
  return prefix;
}
