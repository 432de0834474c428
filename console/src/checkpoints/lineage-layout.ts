import type { Lineage, LineageNode } from '@stic/api/gen/stic/checkpoints/v1/checkpoints.js';

export interface Placed {
  node: LineageNode;
  x: number;
  y: number;
  layer: number;
}

export interface Layout {
  placed: Map<string, Placed>;
  width: number;
  height: number;
}

export const box = { width: 184, height: 62 };
const gap = { x: 28, y: 26 };

/**
 * Layers from top to bottom: a node stands one layer below the last thing it was made from, and what was made from nothing stands right
 * above its first use. Within a layer, nodes are sorted by the mean place of their neighbours to keep the lines short.
 */
export function layOut({ nodes, edges }: Lineage): Layout {
  const layerOf = layers(nodes, edges);
  const rows: LineageNode[][] = [];
  for (const node of nodes) (rows[layerOf.get(node.id) ?? 0] ??= []).push(node);
  const place = new Map<string, number>();
  for (const row of rows) spread(row, place);
  for (let sweep = 0; sweep < 4; sweep++) {
    for (const row of rows) {
      const means = new Map(row.map(({ id }) => [id, neighbourMean(id, edges, place)]));
      row.sort((a, b) => (means.get(a.id) ?? 0) - (means.get(b.id) ?? 0));
      spread(row, place);
    }
  }
  const widest = Math.max(1, ...rows.map((row) => row.length));
  const width = widest * (box.width + gap.x) - gap.x + 2 * gap.x;
  const placed = new Map<string, Placed>();
  rows.forEach((row, layer) => {
    for (const node of row) {
      const x = width / 2 + (place.get(node.id) ?? 0) * (box.width + gap.x) - box.width / 2;
      placed.set(node.id, { node, x, y: layer * (box.height + gap.y), layer });
    }
  });
  return { placed, width, height: rows.length * (box.height + gap.y) - gap.y };
}

function layers(nodes: LineageNode[], edges: Lineage['edges']): Map<string, number> {
  const layer = new Map(nodes.map(({ id }) => [id, 0]));
  // Longest paths: as many passes as there are nodes settle any graph without cycles.
  for (let pass = 0; pass < nodes.length; pass++) {
    for (const { from, to } of edges) {
      layer.set(to, Math.max(layer.get(to) ?? 0, Math.min(nodes.length, (layer.get(from) ?? 0) + 1)));
    }
  }
  for (const { id } of nodes) {
    if (edges.some(({ to }) => to === id)) continue;
    const uses = edges.filter(({ from }) => from === id).map(({ to }) => layer.get(to) ?? 0);
    if (uses.length > 0) layer.set(id, Math.min(...uses) - 1);
  }
  return layer;
}

/** Places of a layer's nodes, in box widths from the middle. */
function spread(row: LineageNode[], place: Map<string, number>): void {
  row.forEach(({ id }, index) => place.set(id, index - (row.length - 1) / 2));
}

function neighbourMean(id: string, edges: Lineage['edges'], place: Map<string, number>): number {
  const places = edges.flatMap(({ from, to }) => (to === id ? [place.get(from) ?? 0] : from === id ? [place.get(to) ?? 0] : []));
  return places.length > 0 ? places.reduce((sum, value) => sum + value, 0) / places.length : 0;
}

/** The line between two boxes: straight down to the next layer, or down beside the boxes and in from the side. */
export function line(from: Placed, to: Placed): string {
  const startX = from.x + box.width / 2;
  const startY = from.y + box.height;
  if (to.layer - from.layer <= 1) {
    const endX = to.x + box.width / 2;
    const middle = (startY + to.y) / 2;
    return path(startX, startY, startX, middle, endX, middle, endX, to.y);
  }
  const side = startX < to.x + box.width / 2 ? -1 : 1;
  const endX = side < 0 ? to.x : to.x + box.width;
  const endY = to.y + box.height / 2;
  const lane = side < 0 ? Math.min(startX, endX - gap.x) : Math.max(startX, endX + gap.x);
  return path(startX, startY, lane, startY + gap.y, lane, endY, endX, endY);
}

const path = (x1: number, y1: number, ...rest: number[]): string => `M${String(x1)} ${String(y1)} C${rest.join(' ')}`;
