import type { DescEnum, DescEnumValue, DescField, DescFile, DescMessage, DescMethod, DescService } from '@bufbuild/protobuf';

type Described = DescMessage | DescField | DescEnum | DescEnumValue | DescService | DescMethod;

/** The comment before a declaration in its proto; empty where there is none. */
export function commentOf(described: Described): string {
  const text = commentsOf(fileOf(described)).get(pathOf(described).join()) ?? '';
  return text.replaceAll(/[ \t]*\n[ \t]*/g, ' ').trim();
}

const cache = new WeakMap<DescFile, Map<string, string>>();

function commentsOf(file: DescFile): Map<string, string> {
  let comments = cache.get(file);
  if (comments === undefined) {
    const locations = file.proto.sourceCodeInfo?.location ?? [];
    comments = new Map(locations.map(({ path, leadingComments }) => [path.join(), leadingComments]));
    cache.set(file, comments);
  }
  return comments;
}

function fileOf(described: Described): DescFile {
  return 'file' in described ? described.file : described.parent.file;
}

/** Numbers of the fields of descriptor.proto that lead from a file to the declaration, as source info keys it. */
function pathOf(described: Described): number[] {
  switch (described.kind) {
    case 'message':
      return described.parent
        ? [...pathOf(described.parent), 3, described.parent.proto.nestedType.indexOf(described.proto)]
        : [4, described.file.proto.messageType.indexOf(described.proto)];
    case 'enum':
      return described.parent
        ? [...pathOf(described.parent), 4, described.parent.proto.enumType.indexOf(described.proto)]
        : [5, described.file.proto.enumType.indexOf(described.proto)];
    case 'service':
      return [6, described.file.proto.service.indexOf(described.proto)];
    case 'field':
      return [...pathOf(described.parent), 2, described.parent.proto.field.indexOf(described.proto)];
    case 'enum_value':
      return [...pathOf(described.parent), 2, described.parent.proto.value.indexOf(described.proto)];
    case 'rpc':
      return [...pathOf(described.parent), 2, described.parent.proto.method.indexOf(described.proto)];
  }
}
