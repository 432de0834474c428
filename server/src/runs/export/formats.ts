import type { Pair } from '@stic/api/gen/stic/runs/v1/runs.js';
import { invalid } from '../../platform/errors.js';
import { shown } from '../../platform/printable.js';

/** A way other trainers read preference pairs. `image` is the image's path inside the archive. */
export type ExportFormat = {
  /** The file the rows go into. */
  readonly file: string;
  readonly row: (pair: Pair, image: string) => object;
  /** JSON lines, or one JSON list. */
  readonly layout: 'lines' | 'list';
  /** Files that describe the first one. */
  readonly beside: Readonly<Record<string, object>>;
};

const say = (text: string): { type: 'text'; text: string } => ({ type: 'text', text });

/** TRL: conversational preference rows with an explicit prompt and a list of images, one per image part. */
const trl: ExportFormat = {
  file: 'pairs.jsonl',
  layout: 'lines',
  beside: {},
  row: (pair, image) => ({
    images: [image],
    prompt: [{ role: 'user', content: [{ type: 'image' }, say(pair.prompt)] }],
    chosen: [{ role: 'assistant', content: [say(pair.chosen)] }],
    rejected: [{ role: 'assistant', content: [say(pair.rejected)] }],
  }),
};

/** LLaMA-Factory: ShareGPT-style ranking rows, one <image> in the text per image, described by dataset_info.json. */
const llamafactory: ExportFormat = {
  file: 'pairs.json',
  layout: 'list',
  beside: {
    'dataset_info.json': {
      stic_pairs: {
        file_name: 'pairs.json',
        formatting: 'sharegpt',
        ranking: true,
        columns: { messages: 'conversations', chosen: 'chosen', rejected: 'rejected', images: 'images' },
      },
    },
  },
  row: (pair, image) => ({
    conversations: [{ from: 'human', value: `<image>${pair.prompt}` }],
    chosen: { from: 'gpt', value: pair.chosen },
    rejected: { from: 'gpt', value: pair.rejected },
    images: [image],
  }),
};

/** LLaVA and the official STIC code: conversations with the placeholder on a line of its own, both answers as texts. */
const llava: ExportFormat = {
  file: 'pairs.json',
  layout: 'list',
  beside: {},
  row: (pair, image) => ({
    id: pair.id,
    image,
    conversations: [
      { from: 'human', value: `<image>\n${pair.prompt}` },
      { from: 'gpt', value: pair.chosen },
    ],
    chosen: pair.chosen,
    rejected: pair.rejected,
    made_by: pair.madeBy,
  }),
};

const formats: Readonly<Record<string, ExportFormat>> = { trl, llamafactory, llava };

export function formatNamed(name: string): ExportFormat {
  const format = Object.hasOwn(formats, name) ? formats[name] : undefined;
  if (!format) throw invalid('format', `"${shown(name)}" is not an export format; it must be one of ${Object.keys(formats).join(', ')}.`);
  return format;
}

/** File ending of a format as Pillow names it. */
export function extensionOf(format: string): string {
  const endings: Readonly<Record<string, string>> = { JPEG: 'jpg', MPO: 'jpg', TIFF: 'tif', JPEG2000: 'jp2' };
  return endings[format] ?? format.toLowerCase().replaceAll(/[^a-z0-9]/g, '');
}
