import { spawn } from 'node:child_process';
import { once } from 'node:events';

/** A command that runs until it is interrupted and then never finishes its cleanup. */
const COMMAND = `
  const { onInterrupt } = await import(${JSON.stringify(new URL('interrupt.js', import.meta.url).href)});
  const { signal, raised } = onInterrupt(() => 'Stopping. The run is saved.');
  setInterval(() => undefined, 1000);
  console.log('working', signal.aborted);
  await raised.catch((error) => console.log(error.message, signal.aborted));
`;

for (const [first, second] of [
  ['SIGINT', 'SIGINT'],
  ['SIGTERM', 'SIGINT'],
] as const) {
  test(`the first signal (${first}) lets a command tidy up, the second ends it at once`, async () => {
    const child = spawn(process.execPath, ['--input-type=module', '--eval', COMMAND], { stdio: ['ignore', 'pipe', 'inherit'] });
    afterAll(() => {
      child.kill('SIGKILL');
    });
    let output = '';
    child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
    const said = async (words: string): Promise<void> => {
      while (!output.includes(words)) await once(child.stdout, 'data');
    };
    const exited = once(child, 'close');

    await said('working false');
    child.kill(first);
    await said('interrupted true');
    expect(output).toMatch(/Stopping\. The run is saved\. Ctrl-C again ends at once\./);
    expect(child.exitCode).toBeNull();
    child.kill(second);
    expect(await exited).toStrictEqual([130, null]);
    expect(output).toMatch(/Ended at once\. The same command continues/);
  });
}
