import type { Lineage, LineageNode } from '../gen/stic/checkpoints/v1/checkpoints';

export interface Placed {
  node: LineageNode;
  x: number;
  y: number;
}

export interface Layout {
  placed: Map<string, Placed>;
  width: number;
  height: number;
}

export const box = { width: 168, height: 58, gapX: 44, gapY: 14 };

/**
 * Layers from left to right: a node stands one layer behind the last thing it was made from, and what was made from nothing stands right
 * before its first use. Within a layer, nodes are sorted by the mean height of their neighbours to keep the lines short.
 */
export function layOut({ nodes, edges }: Lineage): Layout {
  const layer = layers(nodes, edges);
  const columns: LineageNode[][] = [];
  for (const node of nodes) (columns[layer.get(node.id) ?? 0] ??= []).push(node);
  const row = new Map<string, number>();
  for (const column of columns) column.forEach((node, index) => row.set(node.id, index));
  for (let sweep = 0; sweep < 4; sweep++) for (const column of columns) sortByNeighbours(column, edges, row);

  const tallest = Math.max(1, ...columns.map((column) => column.length));
  const step = box.height + box.gapY;
  const placed = new Map<string, Placed>();
  columns.forEach((column, index) => {
    const top = ((tallest - column.length) * step) / 2;
    column.forEach((node, at) => placed.set(node.id, { node, x: index * (box.width + box.gapX), y: top + at * step }));
  });
  return { placed, width: columns.length * (box.width + box.gapX) - box.gapX, height: tallest * step - box.gapY };
}

function layers(nodes: LineageNode[], edges: Lineage['edges']): Map<string, number> {
  const layer = new Map(nodes.map(({ id }) => [id, 0]));
  // Longest paths: as many passes as there are nodes settle any graph without cycles.
  for (let pass = 0; pass < nodes.length; pass++) {
    for (const { from, to } of edges)
      layer.set(to, Math.max(layer.get(to) ?? 0, Math.min(nodes.length, (layer.get(from) ?? 0) + 1)));
  }
  for (const { id } of nodes) {
    if (edges.some(({ to }) => to === id)) continue;
    const uses = edges.filter(({ from }) => from === id).map(({ to }) => layer.get(to) ?? 0);
    if (uses.length > 0) layer.set(id, Math.min(...uses) - 1);
  }
  return layer;
}

function sortByNeighbours(column: LineageNode[], edges: Lineage['edges'], row: Map<string, number>): void {
  const mean = (id: string): number => {
    const rows = edges.flatMap(({ from, to }) =>
      to === id ? [row.get(from) ?? 0] : from === id ? [row.get(to) ?? 0] : [],
    );
    return rows.length > 0 ? rows.reduce((sum, value) => sum + value, 0) / rows.length : 0;
  };
  const means = new Map(column.map(({ id }) => [id, mean(id)]));
  column.sort((a, b) => (means.get(a.id) ?? 0) - (means.get(b.id) ?? 0));
  column.forEach(({ id }, index) => row.set(id, index));
}
