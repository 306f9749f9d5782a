import { detectSandbox } from './detect.ts';

// Run by detectSandbox as root of a user namespace; its last argument is the directory to try in.
process.stdout.write(JSON.stringify(await detectSandbox(process.argv[2])));
