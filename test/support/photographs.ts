import { execFile } from 'node:child_process';
import path from 'node:path';
import { promisify } from 'node:util';
import { repositoryRoot } from '../../server/src/platform/config/repository.js';

const root = repositoryRoot();
export const python = path.join(root, 'trainer-py/.venv/bin/python');

/** Names of the pictures that can be used, in the order of a manifest. */
export const usable = [
  'IMG_0001.JPG',
  'Urlaub 2024/Straße & Meer (1).webp',
  'Urlaub 2024/海.bmp',
  'grey.gif',
  'logo mit Rand.png',
  'narrow.png',
  'no ending',
  'palette.png',
  'print.jpg',
  'really a png.jpg',
  'scan.tif',
  'upright again.jpeg',
];

/** Fills the folder with them, one broken picture, one hidden and one text that is no picture and does not claim to be. */
export async function takePhotographs(folder: string): Promise<void> {
  await promisify(execFile)(python, [path.join(root, 'test/support/photographs.py'), folder]);
}
