/** uml COMMAND ...: the modern front end, with one file for each command. */
import { Command } from 'commander';
import { ERRORS, packageVersion } from './common.ts';
import { bareStrace, runCommand } from './uml-run.ts';

const run = runCommand();
const program = new Command('uml')
  .description('Linux machines that are ordinary processes, with a kernel in TypeScript.')
  .version(packageVersion(), '-V, --version', 'print the version')
  .helpOption('-h, --help', 'print this text')
  .helpCommand('help [command]', 'print the help of a command')
  .configureOutput(ERRORS)
  .enablePositionalOptions()
  .addCommand(run);

const [command = '--help', ...words] = process.argv.slice(2);
program.parse([command, ...(command === 'run' ? bareStrace(run, words) : words)], { from: 'user' });
