// Links between the repository's Markdown pages, and the pages that other files name: each must lead somewhere.
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { collect } from '../setup/command.mjs';
import { root } from '../setup/stamps.mjs';

const LINK = /!?\[(?:[^\]\\]|\\.)*\]\(\s*<?([^)\s>]+)>?(?:\s+"[^"]*")?\s*\)/g;
const NAMED_PAGE = /(?<![\w./-])docs\/[\w./-]+\.md\b/g;
const TEXT = /\.(md|mjs|ts|tsx|py|proto|json|txt|ya?ml)$/;

/** The check of the repository; its output names file, line and target of every broken link. */
export async function linksLead() {
  const { code, output } = await collect('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard'], { cwd: root });
  if (code !== 0) return { code, output };
  const names = output.split('\0').filter((name) => TEXT.test(name) && existsSync(path.join(root, name)));
  const broken = names.flatMap((name) => brokenIn(name, readFileSync(path.join(root, name), 'utf8')));
  return { code: broken.length, output: broken.join('\n') };
}

/** The check of the check: pages with one broken link each are found out, one with good links is not. */
export function linkCheckWorks() {
  const cases = [
    ['docs/README.md', '[gone](no-such-page.md)', 1],
    ['docs/README.md', '[gone](README.md#no-such-heading)', 1],
    ['docs/README.md', '[outside](../../outside.md)', 1],
    ['server/src/main.ts', `// see ${'docs'}/no-such-page.md`, 1],
    ['docs/README.md', '# A heading, `code`\n[here](#a-heading-code) [up](../README.md) [web](https://example.org)', 0],
    ['docs/README.md', '```\n[in code](no-such-page.md)\n```', 0],
  ];
  const wrong = cases.filter(([name, text, count]) => brokenIn(name, text).length !== count);
  return { code: wrong.length, output: wrong.map(([, text]) => `judged wrongly: ${text}`).join('\n') };
}

function brokenIn(name, text) {
  const isPage = name.endsWith('.md');
  return (isPage ? withoutCode(text) : text).split('\n').flatMap((line, i) => {
    const links = isPage ? [...line.matchAll(LINK)].map((match) => match[1]) : [];
    const pages = isPage ? [] : [...line.matchAll(NAMED_PAGE)].map((match) => match[0]);
    const broken = [...links.filter((link) => !leads(name, text, link)), ...pages.filter((page) => !existsSync(path.join(root, page)))];
    return broken.map((target) => `${name}:${i + 1}: ${target}`);
  });
}

function leads(name, text, link) {
  if (/^(https?|mailto):/.test(link)) return true;
  const [file, anchor] = decodeURI(link).split('#');
  const target = file === '' ? name : path.join(path.dirname(name), file);
  if (target.startsWith('..') || !existsSync(path.join(root, target))) return false;
  if (anchor === undefined || !target.endsWith('.md')) return true;
  return anchors(target === name ? text : readFileSync(path.join(root, target), 'utf8')).has(anchor);
}

/** The anchors that GitHub gives a page's headings; repeated headings get a number. */
function anchors(text) {
  const found = new Map();
  return new Set(
    [...withoutCode(text, { spans: false }).matchAll(/^#{1,6}\s+(.+?)\s*$/gm)].map(([, heading]) => {
      const slug = heading
        .replace(/\[([^\]]*)\]\([^)]*\)/g, '$1')
        .toLowerCase()
        .replace(/[^\p{L}\p{N}\s_-]/gu, '')
        .replace(/\s/g, '-');
      const count = found.get(slug) ?? 0;
      found.set(slug, count + 1);
      return count === 0 ? slug : `${slug}-${count}`;
    }),
  );
}

/** The same lines with fenced code, and spans of code unless they are wanted, emptied. */
function withoutCode(text, { spans = true } = {}) {
  const fenceless = text.replace(/^([ \t]*)(```|~~~)[\s\S]*?^\1\2[^\S\n]*$/gm, (block) => block.replace(/[^\n]/g, ''));
  return spans ? fenceless.replace(/`[^`\n]*`/g, '') : fenceless;
}
