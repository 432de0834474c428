// The browser of the browser tests: one that is here, or Debian's package.
import { existsSync } from 'node:fs';
import { collect } from '../setup/command.mjs';
import { Problem } from '../setup/terminal.mjs';

const PLACES = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome', '/usr/bin/google-chrome-stable'];

/** The path of a Chromium; installs it where that is possible and says what to do where it is not. */
export async function findChromium() {
  const wanted = process.env.CHROMIUM;
  if (wanted) {
    if (existsSync(wanted)) return wanted;
    throw new Problem(`CHROMIUM names ${wanted}, which does not exist.`, 'Set CHROMIUM to a Chromium or Chrome program, or unset it.');
  }
  const here = PLACES.find((place) => existsSync(place));
  if (here) return here;
  const byHand = 'Install Chromium (on Debian: apt-get install chromium) or set CHROMIUM to a Chromium or Chrome program.';
  if (process.getuid?.() !== 0 || !existsSync('/usr/bin/apt-get')) {
    throw new Problem('The browser tests need Chromium, and it can be installed here only by hand.', byHand);
  }
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  await collect('apt-get', ['update'], { env });
  const { code, output } = await collect('apt-get', ['install', '-y', '--no-install-recommends', 'chromium'], { env });
  if (code !== 0) throw new Problem(`Installing Chromium failed:\n${output.trim().split('\n').slice(-8).join('\n')}`, byHand);
  return PLACES[0];
}
